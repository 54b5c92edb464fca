package io.tidemark.agent;

import io.tidemark.spi.Capability;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.Cut;
import io.tidemark.spi.CutForecast;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.FileTrees;
import io.tidemark.spi.Handle;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotPage;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.SnapshotStreams;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * Volumes that are folders with files right in them, snapshots that are copies of them, and a stream that is text: a
 * line for the base, then for each file its name, its length, its time and its bytes, or that it is gone. For tests of
 * what knows only the SPI.
 */
final class FolderProvider implements StorageProvider, FileTrees, SnapshotStreams {
    private static final String END = "end\n";
    private final Path folder;
    private final Map<SnapshotId, Set<HoldOwner>> holds = new TreeMap<>(Comparator.comparing(SnapshotId::toString));
    /** Put in front of each stream: another one makes the stream another one. */
    String salt = "";

    int received;
    Optional<ProviderError> rollbackFails = Optional.empty();

    FolderProvider(Path folder) {
        this.folder = folder;
    }

    @FunctionalInterface
    private interface Io<T> {
        T run() throws IOException;
    }

    private static <T> T io(Io<T> action) {
        try {
            return action.run();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Path make(VolumeId volume) {
        return io(() -> Files.createDirectories(place(volume)));
    }

    Path place(VolumeId volume) {
        return folder.resolve(volume.value().substring(volume.value().indexOf(':') + 1));
    }

    Path place(SnapshotId snapshot) {
        return folder.resolve(".snapshots").resolve(snapshot.toString().replace('/', '_'));
    }

    private static List<Path> files(Path folder) {
        return io(() -> {
            try (var found = Files.list(folder)) {
                return found.sorted().toList();
            }
        });
    }

    private static void copy(Path from, Path to) {
        io(() -> {
            Files.createDirectories(to);
            for (var file : files(from)) {
                Files.copy(file, to.resolve(file.getFileName()), StandardCopyOption.COPY_ATTRIBUTES);
            }
            return Files.setLastModifiedTime(to, Files.getLastModifiedTime(from));
        });
    }

    private static void delete(Path folder) {
        io(() -> {
            for (var file : Files.exists(folder) ? files(folder) : List.<Path>of()) {
                Files.delete(file);
            }
            return Files.deleteIfExists(folder);
        });
    }

    @Override
    public String name() {
        return "folder";
    }

    @Override
    public List<Volume> volumes() {
        return files(folder).stream()
                .filter(each -> !each.getFileName().toString().startsWith("."))
                .map(each -> described(new VolumeId("folder:" + each.getFileName())))
                .toList();
    }

    private static Volume described(VolumeId id) {
        var able = Set.of(Capability.FILES, Capability.INSTANT_SNAPSHOT, Capability.ROLLBACK, Capability.HOLDS);
        return new Volume(id, 0, able, Optional.empty(), List.of(), Map.of());
    }

    @Override
    public Volume volume(VolumeId volume) throws ProviderException {
        if (!Files.isDirectory(place(volume))) {
            throw new ProviderException(new ProviderError.VolumeNotFound(volume));
        }
        return described(volume);
    }

    @Override
    public CutForecast forecast(List<VolumeId> volumes) {
        return new CutForecast(Duration.ZERO, true, List.of());
    }

    @Override
    public void prepare(CutRequest request) {}

    @Override
    public Cut cut(CutRequest request) throws ProviderException {
        var members = new ArrayList<Cut.Member>();
        for (var volume : request.volumes()) {
            var snapshot = new SnapshotId(volume, request.recoveryPoint());
            if (!Files.exists(place(snapshot))) {
                copy(place(volume(volume).id()), place(snapshot));
            }
            members.add(new Cut.Member(new Snapshot(snapshot, 0, Instant.EPOCH), 0, 0));
        }
        return new Cut(true, members);
    }

    private void mustExist(SnapshotId snapshot) throws ProviderException {
        if (!Files.exists(place(snapshot))) {
            throw new ProviderException(new ProviderError.SnapshotNotFound(snapshot));
        }
    }

    @Override
    public Readiness readiness(SnapshotId snapshot) throws ProviderException {
        mustExist(snapshot);
        return new Readiness.Ready();
    }

    @Override
    public SnapshotPage snapshots(SnapshotQuery query) {
        var shelf = folder.resolve(".snapshots");
        var all = (Files.exists(shelf) ? files(shelf) : List.<Path>of())
                .stream()
                        .map(each -> SnapshotId.parse(each.getFileName().toString()))
                        .sorted(Comparator.comparing(SnapshotId::volume).thenComparing(SnapshotId::recoveryPoint))
                        .map(id -> new Snapshot(id, 0, Instant.EPOCH));
        return SnapshotPage.of(query, all);
    }

    @Override
    public Step<Volume> rollback(SnapshotId snapshot) throws ProviderException {
        if (rollbackFails.isPresent()) {
            throw new ProviderException(rollbackFails.get());
        }
        mustExist(snapshot);
        delete(place(snapshot.volume()));
        copy(place(snapshot), place(snapshot.volume()));
        return new Step.Done<>(volume(snapshot.volume()));
    }

    @Override
    public void refuseWhileOpen(VolumeId volume) throws ProviderException {
        if (rollbackFails.isPresent()) {
            throw new ProviderException(rollbackFails.get());
        }
    }

    @Override
    public void hold(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        mustExist(snapshot);
        holds.computeIfAbsent(snapshot, _ -> new HashSet<>()).add(owner);
    }

    @Override
    public void release(SnapshotId snapshot, HoldOwner owner) {
        holds.getOrDefault(snapshot, new HashSet<>()).remove(owner);
    }

    Set<HoldOwner> holds(SnapshotId snapshot) {
        return holds.getOrDefault(snapshot, Set.of());
    }

    @Override
    public Step<Boolean> delete(SnapshotId snapshot) throws ProviderException {
        if (!holds(snapshot).isEmpty()) {
            throw new ProviderException(new ProviderError.Held(snapshot, holds(snapshot)));
        }
        delete(place(snapshot));
        return new Step.Done<>(true);
    }

    @Override
    public SnapshotTree tree(SnapshotId snapshot) throws ProviderException {
        mustExist(snapshot);
        return new SnapshotTree() {
            @Override
            public Path root() {
                return place(snapshot);
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public String format() {
        return "folder";
    }

    @Override
    public Outgoing send(Optional<RecoveryPointId> older, SnapshotId newer) throws ProviderException {
        mustExist(newer);
        var out = new StringBuilder(
                salt + "base " + older.map(RecoveryPointId::value).orElse("") + "\n");
        var base = older.map(point -> place(new SnapshotId(newer.volume(), point)));
        for (var file : files(place(newer))) {
            var before = base.map(each -> each.resolve(file.getFileName())).filter(Files::exists);
            if (before.isEmpty() || io(() -> Files.mismatch(before.get(), file)) >= 0) {
                var bytes = io(() -> Files.readString(file, StandardCharsets.ISO_8859_1));
                out.append("file %s %d %d\n%s".formatted(file.getFileName(), bytes.length(), modified(file), bytes));
            }
        }
        for (var gone : base.isPresent() ? files(base.get()) : List.<Path>of()) {
            if (!Files.exists(place(newer).resolve(gone.getFileName()))) {
                out.append("gone " + gone.getFileName() + "\n");
            }
        }
        out.append("folder %d\n".formatted(modified(place(newer)))).append(END);
        var bytes = ByteBuffer.wrap(out.toString().getBytes(StandardCharsets.ISO_8859_1));
        return new Outgoing() {
            @Override
            public int read(ByteBuffer into) {
                int length = Math.min(into.remaining(), bytes.remaining());
                into.put(bytes.slice(bytes.position(), length));
                bytes.position(bytes.position() + length);
                return length == 0 ? -1 : length;
            }

            @Override
            public void close() {}
        };
    }

    private static long modified(Path file) {
        return io(() -> Files.getLastModifiedTime(file)).to(TimeUnit.NANOSECONDS);
    }

    @Override
    public Incoming receive(Optional<RecoveryPointId> older, SnapshotId newer) throws ProviderException {
        volume(newer.volume());
        if (older.isPresent()) {
            mustExist(new SnapshotId(newer.volume(), older.get()));
        }
        received++;
        var text = new StringBuilder();
        return new Incoming() {
            @Override
            public void write(ByteBuffer from) {
                text.append(StandardCharsets.ISO_8859_1.decode(from));
            }

            @Override
            public Snapshot finish() throws ProviderException {
                var stream = text.substring(text.indexOf("base "));
                if (!stream.endsWith(END)
                        || !stream.startsWith(
                                "base " + older.map(RecoveryPointId::value).orElse("") + "\n")) {
                    throw new ProviderException(new ProviderError.Corrupt("stream of " + newer, "no end, or base"));
                }
                var work = folder.resolve(".work");
                delete(work);
                if (older.isPresent()) {
                    copy(place(new SnapshotId(newer.volume(), older.get())), work);
                } else {
                    io(() -> Files.createDirectories(work));
                }
                unpack(stream, work);
                io(() -> Files.createDirectories(place(newer).getParent()));
                io(() -> Files.move(work, place(newer)));
                return new Snapshot(newer, 0, Instant.EPOCH);
            }

            @Override
            public void close() {}
        };
    }

    private static void unpack(String stream, Path into) {
        int at = stream.indexOf('\n') + 1;
        while (!stream.startsWith(END, at)) {
            int lineEnd = stream.indexOf('\n', at);
            var words = stream.substring(at, lineEnd).split(" ", -1);
            at = lineEnd + 1;
            switch (words[0]) {
                case "file" -> {
                    int length = Integer.parseInt(words[2]);
                    var bytes = stream.substring(at, at + length);
                    var file = into.resolve(words[1]);
                    io(() -> Files.writeString(file, bytes, StandardCharsets.ISO_8859_1));
                    setModified(file, Long.parseLong(words[3]));
                    at += length;
                }
                case "gone" -> io(() -> Files.deleteIfExists(into.resolve(words[1])));
                default -> setModified(into, Long.parseLong(words[1]));
            }
        }
    }

    private static void setModified(Path file, long nanos) {
        io(() -> Files.setLastModifiedTime(file, FileTime.from(nanos, TimeUnit.NANOSECONDS)));
    }

    @Override
    public Optional<String> changedSince(VolumeId volume, Optional<RecoveryPointId> stands) throws ProviderException {
        var names = new HashSet<String>();
        files(place(volume(volume).id()))
                .forEach(each -> names.add(each.getFileName().toString()));
        if (stands.isEmpty()) {
            return names.stream().findFirst().map(name -> "it has " + name);
        }
        var base = place(new SnapshotId(volume, stands.get()));
        mustExist(new SnapshotId(volume, stands.get()));
        files(base).forEach(each -> names.add(each.getFileName().toString()));
        return names.stream()
                .sorted()
                .filter(name -> !Files.exists(base.resolve(name))
                        || !Files.exists(place(volume).resolve(name))
                        || io(() -> Files.mismatch(
                                        base.resolve(name), place(volume).resolve(name)))
                                >= 0)
                .findFirst()
                .map(name -> name + " differs");
    }

    @Override
    public void close() {}

    private static UnsupportedOperationException blocks() {
        return new UnsupportedOperationException(
                "a volume of files has no blocks, and is neither made nor cloned here");
    }

    @Override
    public Volume create(VolumeId volume, long sizeBytes) {
        throw blocks();
    }

    @Override
    public void remove(VolumeId volume) {
        throw blocks();
    }

    @Override
    public SnapshotReader read(SnapshotId snapshot) {
        throw blocks();
    }

    @Override
    public ChangedRanges changedRanges(SnapshotId older, SnapshotId newer) {
        throw blocks();
    }

    @Override
    public ChangedRanges allocatedRanges(SnapshotId snapshot) {
        throw blocks();
    }

    @Override
    public Step<Volume> clone(CloneRequest request) {
        throw blocks();
    }

    @Override
    public VolumeWriter write(VolumeId volume) {
        throw blocks();
    }

    @Override
    public Step<?> resume(Handle handle) {
        throw blocks();
    }
}

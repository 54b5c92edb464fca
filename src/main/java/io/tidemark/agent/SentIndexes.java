package io.tidemark.agent;

import io.tidemark.block.BlockException;
import io.tidemark.block.BlockIndexWriter;
import io.tidemark.block.ChangedRuns;
import io.tidemark.block.DataPlaces;
import io.tidemark.block.ImageGeometry;
import io.tidemark.domain.LinkId;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The block-hash index of the newest recovery point that each link sent whose storage does not say what changed: with it
 * the next one is found by reading the newer snapshot alone. One index a link, in the state's folder. Nothing depends on
 * them: what is missing, damaged or of another snapshot is not used, and both snapshots are read.
 *
 * <p>Of one link by one thread at a time: a link has one synchronisation.
 */
public final class SentIndexes {
    private static final Logger LOG = LoggerFactory.getLogger(SentIndexes.class);

    private static final String INDEX = ".index";
    private static final String JOURNAL = ".journal";
    private static final String BINDING = ".binding";
    /** Being written; nothing reads it. */
    private static final String FRESH = ".fresh";

    private static final List<String> ENDINGS = List.of(INDEX, JOURNAL, BINDING, BINDING + FRESH, INDEX + FRESH);

    /** An index is not made where it would take more than half of what is free: the database lies there too. */
    private static final int FREE_SHARE = 2;

    /** @param bytesMaximum that all indexes together may take; 0: none are made, and those there are go */
    public record Limit(long bytesMaximum) {
        public static final Limit NONE = new Limit(0);
    }

    private final Path folder;
    private final BlockKernel kernel;
    private final Limit limit;
    /** What each link's build will take when it is done; guarded by this map. */
    private final Map<LinkId, Long> building = new HashMap<>();

    /** What was said last of each link: not again at each synchronisation. */
    private final Map<LinkId, String> said = new ConcurrentHashMap<>();

    /** @param folder made when the first index is */
    public SentIndexes(Path folder, BlockKernel kernel, Limit limit) {
        this.folder = folder;
        this.kernel = kernel;
        this.limit = limit;
    }

    /** Keeps none. */
    public static SentIndexes none(BlockKernel kernel) {
        return new SentIndexes(Path.of("/nonexistent"), kernel, Limit.NONE);
    }

    boolean kept() {
        return limit.bytesMaximum() > 0;
    }

    /** At a start: removes what belongs to no link that sends, and all where none are to be kept. */
    public void keepOnly(Predicate<LinkId> sends) throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        for (var file : files()) {
            String name = file.getFileName().toString();
            int end = name.indexOf('.');
            boolean ours = end > 0 && ENDINGS.contains(name.substring(end));
            if (ours && !(kept() && isLink(name.substring(0, end)) && sends.test(new LinkId(name.substring(0, end))))) {
                Files.deleteIfExists(file);
                LOG.info("block_index.removed file={} reason=\"no link that sends needs it\"", file);
            }
        }
    }

    private static boolean isLink(String text) {
        try {
            return new LinkId(text).value().equals(text);
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** Of a link that is gone, or whose index is of no use any more. */
    void forget(LinkId link) {
        try {
            for (String ending : ENDINGS) {
                Files.deleteIfExists(file(link, ending));
            }
        } catch (IOException e) {
            LOG.warn("block_index.not_removed link={} folder={} reason=\"{}\"", link, folder, e.getMessage());
        }
    }

    /** What the index must be of. */
    record Wanted(LinkId link, SnapshotId snapshot, long sizeBytes, long epoch) {}

    /** The link's index, provably of that snapshot; empty, and said in the log, when there is none. */
    Optional<StoredIndex> open(Wanted wanted, BooleanSupplier cancelled) throws ProviderException {
        if (!kept()) {
            return Optional.empty();
        }
        try {
            var binding = binding(wanted.link());
            var whyNot = binding.link().equals(wanted.link())
                    ? binding.whyNot(wanted.snapshot(), wanted.sizeBytes(), wanted.epoch())
                    : Optional.of("of link " + binding.link());
            if (whyNot.isPresent()) {
                say(wanted.link(), whyNot.get());
                return Optional.empty();
            }
            var stored = StoredIndex.open(kernel, openFiles(wanted.link()), cancelled);
            var expected = new ImageGeometry(wanted.sizeBytes(), ChangedRuns.BLOCK_BYTES);
            boolean same = stored.index().root().equals(binding.root())
                    && stored.index().geometry().equals(expected)
                    && stored.index().algorithm() == IndexBuild.ALGORITHM;
            if (!same) {
                stored.close();
                say(wanted.link(), "not the one it was bound to");
                return Optional.empty();
            }
            said.remove(wanted.link());
            return Optional.of(stored);
        } catch (NoSuchFileException e) {
            say(wanted.link(), "there is none yet");
            return Optional.empty();
        } catch (IOException | BlockException | UncheckedIOException e) {
            say(wanted.link(), String.valueOf(e.getMessage()));
            return Optional.empty();
        }
    }

    private StoredIndex.Files openFiles(LinkId link) throws IOException {
        var index = IndexFile.open(file(link, INDEX));
        try {
            return new StoredIndex.Files(index, IndexFile.openOrMake(file(link, JOURNAL)));
        } catch (IOException e) {
            index.close();
            throw e;
        }
    }

    private void say(LinkId link, String reason) {
        if (!reason.equals(said.put(link, reason))) {
            LOG.info("block_index.not_used link={} effect=\"both snapshots are read\" reason=\"{}\"", link, reason);
        }
    }

    /**
     * Begins an index in place of what the link has, which is of no use; empty, and said, where there is no room.
     *
     * @param data of the snapshot
     */
    Optional<IndexBuild> build(LinkId link, long sizeBytes, DataPlaces data) {
        if (!kept()) {
            return Optional.empty();
        }
        forget(link);
        synchronized (building) {
            return buildWhereThereIsRoom(link, sizeBytes, data);
        }
    }

    private Optional<IndexBuild> buildWhereThereIsRoom(LinkId link, long sizeBytes, DataPlaces data) {
        try {
            makeFolder();
            var geometry = new ImageGeometry(sizeBytes, ChangedRuns.BLOCK_BYTES);
            long needed = BlockIndexWriter.fileBytes(IndexBuild.ALGORITHM, geometry);
            long taken = takenBytes();
            if (taken + needed > limit.bytesMaximum()) {
                LOG.warn(
                        "block_index.not_made link={} neededBytes={} takenBytes={} maximumBytes={}"
                                + " advice=\"raise replication.blockIndexBytesMaximum\"",
                        link,
                        needed,
                        taken,
                        limit.bytesMaximum());
                return Optional.empty();
            }
            long freeBytes = Files.getFileStore(folder).getUsableSpace() - stillToCome();
            if (needed > freeBytes / FREE_SHARE) {
                LOG.warn(
                        "block_index.not_made link={} neededBytes={} freeBytes={} folder={}",
                        link,
                        needed,
                        freeBytes,
                        folder);
                return Optional.empty();
            }
            var build = new IndexBuild(kernel, IndexFile.make(file(link, INDEX + FRESH)), sizeBytes, data);
            building.put(link, needed);
            return Optional.of(build);
        } catch (IOException e) {
            LOG.warn("block_index.not_made link={} folder={} reason=\"{}\"", link, folder, e.getMessage());
            return Optional.empty();
        }
    }

    /** Removes what a build that did not finish has written. */
    void discardBuild(LinkId link) throws IOException {
        synchronized (building) {
            building.remove(link);
        }
        Files.deleteIfExists(file(link, INDEX + FRESH));
    }

    /** Makes a finished build the link's index; it may be closed afterwards. */
    void publish(IndexBinding binding) throws IOException {
        write(binding);
        Files.move(file(binding.link(), INDEX + FRESH), file(binding.link(), INDEX), StandardCopyOption.ATOMIC_MOVE);
    }

    /** Replaces the binding. */
    void write(IndexBinding binding) throws IOException {
        var fresh = file(binding.link(), BINDING + FRESH);
        try (var made = IndexFile.make(fresh)) {
            made.write(0, binding.encoded());
        }
        Files.move(fresh, file(binding.link(), BINDING), StandardCopyOption.ATOMIC_MOVE);
    }

    private IndexBinding binding(LinkId link) throws IOException {
        try (var channel = FileChannel.open(file(link, BINDING), StandardOpenOption.READ)) {
            var bytes = ByteBuffer.allocate(IndexBinding.BYTES_MAXIMUM);
            while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
                // Until the file or the room for it ends.
            }
            return IndexBinding.decode(bytes.flip());
        }
    }

    private void makeFolder() throws IOException {
        if (!Files.isDirectory(folder)) {
            Files.createDirectory(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        }
    }

    private long takenBytes() throws IOException {
        long taken = 0;
        for (var file : files()) {
            taken += sizeOf(file);
        }
        return taken + stillToCome();
    }

    /** Of the builds of other links: their files have only begun to grow. */
    private long stillToCome() throws IOException {
        long bytes = 0;
        for (var build : building.entrySet()) {
            bytes += Math.max(0, build.getValue() - sizeOf(file(build.getKey(), INDEX + FRESH)));
        }
        return bytes;
    }

    /** 0 for one that its link has removed or renamed meanwhile. */
    private static long sizeOf(Path file) throws IOException {
        try {
            return Files.size(file);
        } catch (NoSuchFileException e) {
            return 0;
        }
    }

    private List<Path> files() throws IOException {
        try (var files = Files.list(folder)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    private Path file(LinkId link, String ending) {
        return folder.resolve(link.value() + ending);
    }
}

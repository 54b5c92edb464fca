package io.tidemark.live;

import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.PeerId;
import io.tidemark.replication.live.AfterSplitBrain;
import io.tidemark.replication.live.AfterSplitBrain.NoPrimary;
import io.tidemark.replication.live.AfterSplitBrain.OnePrimary;
import io.tidemark.replication.live.Chosen;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.LiveSettings;
import io.tidemark.replication.live.Protocol;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a live link keeps on this host, in a folder of its name: {@code link}, lines {@code key=value}, and the copy's
 * {@code metadata}. A folder that is not whole has another name.
 */
final class LinkFolder {
    private static final String FORMAT = "1";
    private static final String LINK = "link";
    private static final String METADATA = "metadata";
    private static final String UNFINISHED = ".new";
    private static final String GONE = ".gone";

    private final Path folder;

    /**
     * What is written again as it changes.
     *
     * @param isOpened the peer is known to have its copy
     * @param isPrimaryWanted it was promoted, and not demoted since
     * @param kept what a resync is overwriting, or has overwritten
     * @param earlier what was kept before that, and is still held
     * @param isKeptForGood somebody gave it up knowingly: it is not deleted after the resync
     * @param chosen after a split brain, by a person, until they are in step
     */
    record Wishes(
            boolean isOpened,
            boolean isPrimaryWanted,
            Optional<RecoveryPointId> kept,
            List<RecoveryPointId> earlier,
            boolean isKeptForGood,
            Chosen chosen) {
        static final Wishes NONE = new Wishes(false, false, Optional.empty(), List.of(), false, Chosen.NOBODY);

        Wishes opened() {
            return new Wishes(true, isPrimaryWanted, kept, earlier, isKeptForGood, chosen);
        }

        Wishes primary(boolean isWanted) {
            return new Wishes(isOpened, isWanted, kept, earlier, isKeptForGood, chosen);
        }

        /** One after the other: the hold of the one before is not forgotten. */
        Wishes keeping(RecoveryPointId point) {
            var before = kept.filter(each -> !each.equals(point)).stream();
            var others = Stream.concat(earlier.stream().filter(each -> !each.equals(point)), before)
                    .toList();
            return new Wishes(isOpened, isPrimaryWanted, Optional.of(point), others, isKeptForGood, chosen);
        }

        /**
         * Nothing is left to do with that one.
         *
         * @param wasForGood as it was ended: who has wished so since means another
         */
        Wishes ended(RecoveryPointId point, boolean wasForGood) {
            var left = kept.filter(each -> !each.equals(point));
            var others = earlier.stream().filter(each -> !each.equals(point)).toList();
            boolean isOver = wasForGood && kept.isPresent() && left.isEmpty();
            return new Wishes(isOpened, isPrimaryWanted, left, others, isKeptForGood && !isOver, chosen);
        }

        Wishes keptForGood(boolean isForGood) {
            return new Wishes(isOpened, isPrimaryWanted, kept, earlier, isForGood, chosen);
        }

        Wishes chosen(Chosen said) {
            return new Wishes(isOpened, isPrimaryWanted, kept, earlier, isKeptForGood, said);
        }

        /** All that is held here. */
        List<RecoveryPointId> held() {
            return Stream.concat(earlier.stream(), kept.stream()).toList();
        }
    }

    /** A link as it was found. */
    record Found(LiveHost.Link link, Wishes wishes) {}

    LinkFolder(Path folder) {
        this.folder = folder;
    }

    /** Of the link, by its name; empty where it has none that a link can have, and so was made by somebody else. */
    Optional<LinkId> id() {
        try {
            return Optional.of(new LinkId(String.valueOf(folder.getFileName())));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    Path metadata() {
        return folder.resolve(METADATA);
    }

    @Override
    public String toString() {
        return folder.toString();
    }

    /** Makes it whole, or not at all; durable on return. */
    static LinkFolder create(Path parent, LiveHost.Link link, Wishes wishes, LiveSettings settings) throws IOException {
        var whole = parent.resolve(link.id().value());
        var unfinished = parent.resolve(link.id().value() + UNFINISHED);
        remove(unfinished);
        Files.createDirectory(
                unfinished, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        MetadataFile.create(unfinished.resolve(METADATA), settings);
        new LinkFolder(unfinished).write(link, wishes);
        Files.move(unfinished, whole, StandardCopyOption.ATOMIC_MOVE);
        sync(parent);
        return new LinkFolder(whole);
    }

    /** All that are whole, in order of id; what a crash left of others is removed. */
    static List<LinkFolder> all(Path parent) throws IOException {
        var found = new ArrayList<LinkFolder>();
        try (var folders = Files.newDirectoryStream(parent)) {
            for (var each : folders) {
                var name = each.getFileName().toString();
                if (name.endsWith(UNFINISHED) || name.endsWith(GONE)) {
                    remove(each);
                } else {
                    found.add(new LinkFolder(each));
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        found.sort((one, other) -> one.folder.compareTo(other.folder));
        return found;
    }

    /** Forgets it at once; a crash within leaves nothing that counts. */
    void remove() throws IOException {
        var gone = folder.resolveSibling(folder.getFileName() + GONE);
        Files.move(folder, gone, StandardCopyOption.ATOMIC_MOVE);
        sync(parent(gone));
        remove(gone);
    }

    private static Path parent(Path folder) {
        return Objects.requireNonNull(folder.getParent(), "a link's folder lies in another");
    }

    private static void remove(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        try (var files = Files.newDirectoryStream(folder)) {
            for (var file : files) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    private static void sync(Path folder) throws IOException {
        try (var channel = FileChannel.open(folder)) {
            channel.force(true);
        }
    }

    /** Durable on return. */
    void write(LiveHost.Link link, Wishes wishes) throws IOException {
        var lines = new Properties();
        lines.setProperty("format", FORMAT);
        lines.setProperty("id", link.id().value());
        lines.setProperty("peer", link.peer().value());
        lines.setProperty("localVolume", link.localVolume().value());
        lines.setProperty("peerVolume", link.peerVolume().value());
        lines.setProperty("sizeBytes", Long.toString(link.sizeBytes()));
        lines.setProperty("connects", Boolean.toString(link.connects()));
        lines.setProperty("protocol", link.terms().protocol().name());
        lines.setProperty("congestion", link.terms().congestion().name());
        lines.setProperty("bufferBytes", Long.toString(link.terms().bufferBytes()));
        lines.setProperty("activityLogExtents", Integer.toString(link.terms().activityLogExtents()));
        lines.setProperty("resyncFloorBytes", Long.toString(link.terms().resyncFloorBytes()));
        lines.setProperty("resyncCeilingBytes", Long.toString(link.terms().resyncCeilingBytes()));
        lines.setProperty("compare", Boolean.toString(link.terms().isComparing()));
        lines.setProperty(
                "afterSplitBrain", link.terms().afterSplitBrain().noPrimary().name());
        lines.setProperty(
                "afterSplitBrainPrimary",
                link.terms().afterSplitBrain().onePrimary().name());
        lines.setProperty("createdAt", link.createdAt().toString());
        lines.setProperty("opened", Boolean.toString(wishes.isOpened()));
        lines.setProperty("primary", Boolean.toString(wishes.isPrimaryWanted()));
        lines.setProperty("kept", wishes.kept().map(RecoveryPointId::value).orElse(""));
        lines.setProperty(
                "keptEarlier",
                wishes.earlier().stream().map(RecoveryPointId::value).collect(Collectors.joining(" ")));
        lines.setProperty("keptForGood", Boolean.toString(wishes.isKeptForGood()));
        lines.setProperty("chosen", wishes.chosen().name());
        var text = new StringWriter();
        lines.store(text, null);
        var file = folder.resolve(LINK);
        var fresh = folder.resolve(LINK + UNFINISHED);
        Files.writeString(fresh, text.toString());
        try (var channel = FileChannel.open(fresh, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        sync(folder);
    }

    /** @throws IOException where it is damaged, of a later version, or another link's */
    Found read() throws IOException {
        var lines = new Properties();
        if (!Files.exists(folder.resolve(LINK))) {
            throw new IOException("%s is missing".formatted(folder.resolve(LINK)));
        }
        try {
            lines.load(new StringReader(Files.readString(folder.resolve(LINK))));
        } catch (IllegalArgumentException e) {
            throw new IOException("%s is damaged: %s".formatted(folder.resolve(LINK), e.getMessage()), e);
        }
        if (!FORMAT.equals(lines.getProperty("format"))) {
            throw new IOException("%s has format %s, and only %s is known"
                    .formatted(folder.resolve(LINK), lines.getProperty("format"), FORMAT));
        }
        if (!String.valueOf(folder.getFileName()).equals(lines.getProperty("id"))) {
            throw new IOException(
                    "%s is damaged: it is of link %s".formatted(folder.resolve(LINK), lines.getProperty("id")));
        }
        try {
            var kept = lines.getProperty("kept", "");
            return new Found(
                    link(lines),
                    new Wishes(
                            Boolean.parseBoolean(lines.getProperty("opened")),
                            Boolean.parseBoolean(lines.getProperty("primary")),
                            kept.isEmpty() ? Optional.empty() : Optional.of(new RecoveryPointId(kept)),
                            Stream.of(lines.getProperty("keptEarlier", "").split(" "))
                                    .filter(each -> !each.isEmpty())
                                    .map(RecoveryPointId::new)
                                    .toList(),
                            Boolean.parseBoolean(lines.getProperty("keptForGood")),
                            Chosen.valueOf(lines.getProperty("chosen", Chosen.NOBODY.name()))));
        } catch (IllegalArgumentException | DateTimeException e) {
            throw new IOException("%s is damaged: %s".formatted(folder.resolve(LINK), e.getMessage()), e);
        }
    }

    private static LiveHost.Link link(Properties lines) {
        return new LiveHost.Link(
                new LinkId(lines.getProperty("id", "")),
                new PeerId(lines.getProperty("peer", "")),
                new VolumeId(lines.getProperty("localVolume", "")),
                new VolumeId(lines.getProperty("peerVolume", "")),
                Long.parseLong(lines.getProperty("sizeBytes", "")),
                Boolean.parseBoolean(lines.getProperty("connects")),
                new LiveHost.Terms(
                        Protocol.valueOf(lines.getProperty("protocol", "")),
                        Congestion.valueOf(lines.getProperty("congestion", "")),
                        Long.parseLong(lines.getProperty("bufferBytes", "")),
                        Integer.parseInt(lines.getProperty("activityLogExtents", "")),
                        Long.parseLong(lines.getProperty("resyncFloorBytes", "")),
                        Long.parseLong(lines.getProperty("resyncCeilingBytes", "")),
                        Boolean.parseBoolean(lines.getProperty("compare")),
                        new AfterSplitBrain(
                                NoPrimary.valueOf(lines.getProperty("afterSplitBrain", NoPrimary.DISCONNECT.name())),
                                OnePrimary.valueOf(
                                        lines.getProperty("afterSplitBrainPrimary", OnePrimary.DISCONNECT.name())))),
                Instant.parse(lines.getProperty("createdAt", "")));
    }
}

package io.tidemark.provider.zfs;

import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.CommandStream;
import io.tidemark.provider.zfs.VolumeCatalog.SnapshotEntry;
import io.tidemark.provider.zfs.VolumeCatalog.VolumeEntry;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Whether a file system has been written to. {@code zfs diff} names files whose {@code ctime} is another one, which a
 * read does not change: so times of last access do not count.
 */
final class ChangedFiles {
    /** Where ZFS shows snapshots, if it is told to. */
    private static final Path CONTROL = Path.of(".zfs");

    /** Of {@code zfs diff}, that are read for a better one than the first. */
    private static final int LINES_MAXIMUM = 100;

    private final ZfsCommands commands;
    private final MountTable mounts;
    private final SnapshotTrees trees;

    ChangedFiles(ZfsCommands commands, MountTable mounts, SnapshotTrees trees) {
        this.commands = commands;
        this.mounts = mounts;
        this.trees = trees;
    }

    /** The first file there is; folders that have nothing in them are none, for ZFS makes those to mount in them. */
    Optional<String> anyIn(VolumeEntry volume) throws ProviderException {
        try (var tree = trees.openNow(volume.id(), volume.on().name(), mounted(volume))) {
            return firstIn(tree.root());
        }
    }

    private Optional<Path> mounted(VolumeEntry volume) throws ProviderException {
        return MountTable.pointsOf(mounts.ofHost(), volume.on().name()).stream().findFirst();
    }

    private static Optional<String> firstIn(Path root) throws ProviderException {
        try (var entries = Files.newDirectoryStream(root)) {
            for (var entry : entries) {
                if (!entry.getFileName().equals(CONTROL) && !isEmptyFolder(entry)) {
                    return Optional.of(entry.getFileName() + " is there");
                }
            }
            return Optional.empty();
        } catch (IOException | DirectoryIteratorException e) {
            throw new ProviderException(new ProviderError.Unexpected("looking into " + root, e.toString()), e);
        }
    }

    private static boolean isEmptyFolder(Path entry) throws IOException {
        if (!Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try (var entries = Files.newDirectoryStream(entry)) {
            return !entries.iterator().hasNext();
        }
    }

    Optional<String> since(VolumeEntry volume, SnapshotEntry stands) throws ProviderException {
        var name = volume.on().name();
        if (!stands.on().zvol().equals(name)) {
            return Optional.of("it does not stand at %s, which lies on %s"
                    .formatted(stands.id(), stands.on().zvol()));
        }
        if (!mounts.isMounted(name)) {
            // Of one that is mounted, what was written in the last seconds is not in it.
            if (commands.writtenSince(stands.on(), name) == 0) {
                return Optional.empty();
            }
            try (var tree = trees.openNow(volume.id(), name, Optional.empty())) {
                return first(stands, name, List.of(tree.root()));
            }
        }
        var roots = MountTable.pointsOf(mounts.ofHost(), name);
        if (roots.isEmpty()) {
            // Only others see it, or but a folder of it: zfs diff would find nothing to look at.
            mounts.refuseWhileMounted(volume.id(), name);
        }
        return first(stands, name, roots);
    }

    private Optional<String> first(SnapshotEntry stands, String name, List<Path> roots) throws ProviderException {
        try (var program = commands.differences(stands.on().name(), name);
                var lines = new BufferedReader(new InputStreamReader(program.output(), StandardCharsets.UTF_8))) {
            var seen = new ArrayList<String>();
            for (var line = lines.readLine(); line != null; line = lines.readLine()) {
                seen.add(line);
                // A folder has changed because something in it has, of which the line comes soon.
                if (!ZfsReport.isChangedFolder(line) || seen.size() == LINES_MAXIMUM) {
                    return Optional.of(ZfsReport.difference(line, roots));
                }
            }
            succeed(program, name);
            return seen.stream().findFirst().map(each -> ZfsReport.difference(each, roots));
        } catch (IOException e) {
            throw new ProviderException(new ProviderError.Unexpected("zfs diff", e.toString()), e);
        }
    }

    private static void succeed(CommandStream program, String name) throws ProviderException {
        try {
            var outcome = program.finish();
            if (!outcome.succeeded()) {
                throw ZfsErrors.of(name, "zfs diff", outcome);
            }
        } catch (CommandException e) {
            throw ZfsErrors.of("zfs diff", e);
        }
    }
}

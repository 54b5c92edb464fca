package io.tidemark.provider.image;

import io.tidemark.nativeblock.HostCalls;
import io.tidemark.provider.devices.DurableFiles;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

/**
 * Finishes or undoes what a crash left half done in a folder, from names alone. Deletes only what this provider made;
 * what it cannot explain stays and is logged.
 */
final class FolderSweep {
    /** A volume's own bytes while a rollback puts others in their place. */
    static final String OLD = ".old";

    /** What a rollback, clone or new volume will be once it has its name. */
    static final String NEW = ".new";

    /** A removed volume that is being deleted. */
    static final String GONE = ".gone";

    private static final System.Logger LOG = System.getLogger(FolderSweep.class.getName());

    private final Path root;
    private final Path ours;
    private final Optional<HostCalls> host;

    FolderSweep(Path root, Optional<HostCalls> host) {
        this.root = root;
        this.ours = root.resolve(ImageFolder.OURS);
        this.host = host;
    }

    void run() throws IOException {
        finishRollbacks();
        for (var left : DurableFiles.entries(ours.resolve("work"))) {
            deleteTree(left, host);
            LOG.log(Level.INFO, "image.swept path={0} reason=unfinished", left);
        }
        sweepVolumes();
        sweepSnapshots();
        sweepHolds();
        sweepOrigins();
    }

    /** A volume that was moved aside comes back as the snapshot's bytes where they are ready, else as its own. */
    private void finishRollbacks() throws IOException {
        var work = ours.resolve("work");
        for (var old : DurableFiles.entries(work)) {
            var name = DurableFiles.nameOf(old);
            if (!name.endsWith(OLD)) {
                continue;
            }
            var entry = name.substring(0, name.length() - OLD.length());
            var volume = root.resolve(entry);
            if (!DurableFiles.exists(volume)) {
                var ready = work.resolve(entry + NEW);
                DurableFiles.move(DurableFiles.exists(ready) ? ready : old, volume);
                DurableFiles.sync(root);
                LOG.log(Level.INFO, "image.rollback_finished path={0}", volume);
            }
        }
    }

    /** A rollback by file builds the new bytes beside the image, where they stay on the image's own subvolume. */
    private void sweepVolumes() throws IOException {
        for (var entry : DurableFiles.entries(root)) {
            var unfinished = entry.resolve(ImageFolder.IMAGE + DurableFiles.UNFINISHED);
            if (ImageNames.volume(DurableFiles.nameOf(entry)).isPresent()
                    && DurableFiles.isFolder(entry)
                    && DurableFiles.isFile(unfinished)) {
                Files.delete(unfinished);
            }
        }
    }

    /**
     * The data's name is what makes a snapshot, the record comes first: a record alone is a snapshot that was never
     * cut, data alone is nothing that we leave behind.
     */
    private void sweepSnapshots() throws IOException {
        var snapshots = ours.resolve("snapshots");
        var names = new HashSet<String>();
        DurableFiles.entries(snapshots).forEach(path -> names.add(DurableFiles.nameOf(path)));
        for (var name : names) {
            if (name.endsWith(DurableFiles.UNFINISHED)) {
                deleteTree(snapshots.resolve(name), host);
            } else if (name.endsWith(ImageRecord.SUFFIX)) {
                var stem = name.substring(0, name.length() - ImageRecord.SUFFIX.length());
                if (!names.contains(stem) && !names.contains(stem + ".img")) {
                    Files.delete(snapshots.resolve(name));
                }
            } else {
                var stem = name.endsWith(".img") ? name.substring(0, name.length() - ".img".length()) : name;
                if (!names.contains(stem + ImageRecord.SUFFIX)) {
                    LOG.log(Level.WARNING, "image.unexplained path={0} reason=no_record", snapshots.resolve(name));
                }
            }
        }
        DurableFiles.sync(snapshots);
    }

    private void sweepHolds() throws IOException {
        var holds = ours.resolve("holds");
        for (var hold : DurableFiles.entries(holds)) {
            var name = DurableFiles.nameOf(hold);
            int owner = name.lastIndexOf('@');
            boolean known = owner > 0
                    && DurableFiles.exists(ours.resolve("snapshots", name.substring(0, owner) + ImageRecord.SUFFIX));
            if (!known || name.endsWith(DurableFiles.UNFINISHED)) {
                Files.delete(hold);
            }
        }
        DurableFiles.sync(holds);
    }

    private void sweepOrigins() throws IOException {
        var origins = ours.resolve("origins");
        for (var origin : DurableFiles.entries(origins)) {
            var name = DurableFiles.nameOf(origin);
            boolean whole = name.endsWith(ImageRecord.SUFFIX)
                    && DurableFiles.exists(
                            root.resolve(name.substring(0, name.length() - ImageRecord.SUFFIX.length())));
            if (!whole) {
                Files.delete(origin);
            }
        }
        DurableFiles.sync(origins);
    }

    /** Deletes a file, a folder or a subvolume; does nothing if it is gone. */
    static void deleteTree(Path path, Optional<HostCalls> host) throws IOException {
        if (!DurableFiles.exists(path)) {
            return;
        }
        if (!DurableFiles.isFolder(path)) {
            Files.delete(path);
            return;
        }
        if (host.isPresent() && host.get().btrfsIsSubvolume(path)) {
            host.get().btrfsDeleteSubvolume(path);
            return;
        }
        List<Path> all;
        try (var walk = Files.walk(path)) {
            all = new ArrayList<>(walk.toList());
        }
        all.sort(Comparator.reverseOrder());
        for (var each : all) {
            Files.delete(each);
        }
    }
}

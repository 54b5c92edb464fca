package io.tidemark.provider.zfs;

import io.tidemark.spi.FileTrees.SnapshotTree;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Snapshots of file systems that are mounted for whoever reads their files, each in a folder of its own that only root
 * may enter. What ZFS itself shows below {@code .zfs/snapshot} it unmounts when it likes, and nowhere where the file
 * system is not mounted. Guarded by itself.
 */
final class SnapshotTrees {
    private static final System.Logger LOG = System.getLogger(SnapshotTrees.class.getName());

    private final ZfsCommands commands;
    private final MountTable mounts;
    private final Path folder;
    private final Set<Tree> open = new HashSet<>();

    /** @param folder of this instance alone; made where it is missing */
    SnapshotTrees(ZfsCommands commands, MountTable mounts, Path folder) {
        this.commands = commands;
        this.mounts = mounts;
        this.folder = folder;
    }

    private final class Tree implements SnapshotTree {
        private final Object of;
        private final Path root;

        Tree(Object of, Path root) {
            this.of = of;
            this.root = root;
        }

        @Override
        public Path root() {
            return root;
        }

        /** Busy where somebody is in it: it is open then, and closing it again tries again. */
        @Override
        public void close() throws ProviderException {
            synchronized (SnapshotTrees.this) {
                if (open.contains(this)) {
                    commands.unmount(root);
                    open.remove(this);
                    removeFolder(root);
                }
            }
        }
    }

    /** @param name of the snapshot in ZFS */
    SnapshotTree open(SnapshotId snapshot, String name) throws ProviderException {
        return open(snapshot, root -> commands.mount(name, root));
    }

    /**
     * A file system as it is now, without what is mounted in it.
     *
     * @param mounted where it is seen already
     */
    SnapshotTree openNow(VolumeId volume, String name, Optional<Path> mounted) throws ProviderException {
        return mounted.isPresent()
                ? open(volume, root -> commands.mountAgain(mounted.get(), root))
                : open(volume, root -> commands.mountUnused(name, root));
    }

    private interface Mounting {
        void mount(Path root) throws ProviderException;
    }

    private synchronized SnapshotTree open(Object of, Mounting mounting) throws ProviderException {
        var root = newFolder();
        boolean mounted = false;
        try {
            mounting.mount(root);
            mounted = true;
        } finally {
            if (!mounted) {
                removeFolder(root);
            }
        }
        var tree = new Tree(of, root);
        open.add(tree);
        return tree;
    }

    private Path newFolder() throws ProviderException {
        try {
            Files.createDirectories(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            return Files.createTempDirectory(folder, "tree-");
        } catch (IOException e) {
            throw new ProviderException(
                    new ProviderError.Denied("a folder for the files of a snapshot", "to make it in " + folder), e);
        }
    }

    synchronized void refuseWhileOpen(SnapshotId snapshot) throws ProviderException {
        if (open.stream().anyMatch(each -> each.of.equals(snapshot))) {
            throw ZfsErrors.busy("snapshot " + snapshot, "a reader of its files in this process");
        }
    }

    /** Ends what a process that was killed has left. What does not succeed is left for the next time. */
    void sweep() throws ProviderException {
        for (var mount : mounts.ofHost().reversed()) {
            if (mount.point().startsWith(folder + "/")) {
                unmounted(Path.of(mount.point()));
            }
        }
        if (Files.isDirectory(folder)) {
            try (var left = Files.newDirectoryStream(folder)) {
                left.forEach(SnapshotTrees::removeFolder);
            } catch (IOException | DirectoryIteratorException e) {
                kept(folder, e.toString());
            }
        }
    }

    private void unmounted(Path point) {
        try {
            commands.unmount(point);
        } catch (ProviderException e) {
            kept(point, e.error().message());
        }
    }

    /** Only an empty one goes: of one that is still mounted nothing is lost. */
    private static void removeFolder(Path root) {
        try {
            Files.deleteIfExists(root);
        } catch (IOException e) {
            kept(root, e.toString());
        }
    }

    private static void kept(Path root, String reason) {
        LOG.log(System.Logger.Level.WARNING, "zfs.tree_kept folder={0} reason={1}", root, reason);
    }

    /** Ends every tree; what fails is logged, and is swept at the next start. */
    void close() {
        List<Tree> all;
        synchronized (this) {
            all = new ArrayList<>(open);
        }
        for (var tree : all) {
            try {
                tree.close();
            } catch (ProviderException e) {
                kept(tree.root, e.error().message());
            }
        }
    }
}

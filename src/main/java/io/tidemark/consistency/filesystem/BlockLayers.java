package io.tidemark.consistency.filesystem;

import io.tidemark.consistency.Mount;
import io.tidemark.consistency.MountTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/**
 * What lies below a file system: a loop device's image is a file on another file system, a mapped device rests on
 * others. Read from sysfs (Documentation/ABI/testing/sysfs-block in the kernel's sources).
 */
final class BlockLayers {
    /** File systems upon images upon file systems: nobody stacks deeper, and a loop in sysfs must end somewhere. */
    private static final int DEPTH_MAXIMUM = 8;

    private final Path sys;
    private final MountTable mounts;

    BlockLayers(Path sys, MountTable mounts) {
        this.sys = sys;
        this.mounts = mounts;
    }

    /** Devices of the mount's file system and of every file system it rests on, as the mount table names them. */
    Set<String> fileSystemsUnder(Mount mount) {
        var devices = new LinkedHashSet<String>();
        collectFileSystem(mount, devices, DEPTH_MAXIMUM);
        return devices;
    }

    /** Devices of every file system that a block device, by its node or a link to it, rests on. */
    Set<String> fileSystemsUnder(Path node) {
        var devices = new LinkedHashSet<String>();
        folderOf(node).ifPresent(block -> collectBlock(block, devices, DEPTH_MAXIMUM));
        return devices;
    }

    private void collectFileSystem(Mount mount, Set<String> devices, int depth) {
        if (depth == 0 || !devices.add(mount.device())) {
            return;
        }
        blockDevice(mount).ifPresent(block -> collectBlock(block, devices, depth - 1));
    }

    private void collectBlock(Path block, Set<String> devices, int depth) {
        if (depth == 0) {
            return;
        }
        backingFile(block)
                .or(() -> backingFile(block.resolve("..")))
                .flatMap(mounts::holdingFollowed)
                .ifPresent(below -> collectFileSystem(below, devices, depth - 1));
        try (var slaves = Files.newDirectoryStream(block.resolve("slaves"))) {
            for (var slave : slaves) {
                collectBlock(slave.toRealPath(), devices, depth - 1);
            }
        } catch (IOException e) {
            // No such folder: a device that rests on no other.
            return;
        }
    }

    /** The sysfs folder of the block device below; a file system with an anonymous device is known by its source. */
    private Optional<Path> blockDevice(Mount mount) {
        try {
            if (!mount.device().startsWith("0:")) {
                return Optional.of(
                        sys.resolve("dev/block").resolve(mount.device()).toRealPath());
            }
            if (!mount.source().startsWith("/dev/")) {
                return Optional.empty();
            }
            return folderOf(Path.of(mount.source()));
        } catch (IOException e) {
            // No block device of that name: nothing below that could be frozen.
            return Optional.empty();
        }
    }

    private Optional<Path> folderOf(Path node) {
        try {
            var name = node.toRealPath().getFileName();
            return Optional.of(sys.resolve("class/block").resolve(name).toRealPath());
        } catch (IOException e) {
            // No block device of that name: nothing below that could be frozen.
            return Optional.empty();
        }
    }

    private static Optional<Path> backingFile(Path block) {
        try {
            var text = Files.readString(block.resolve("loop/backing_file"));
            return Optional.of(Path.of(text.strip()));
        } catch (IOException e) {
            // Not a loop device.
            return Optional.empty();
        }
    }
}

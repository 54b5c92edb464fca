package io.tidemark.consistency.filesystem;

import io.tidemark.consistency.BlockDevices;
import io.tidemark.consistency.Mount;
import io.tidemark.consistency.MountTable;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * What lies below a file system: a loop device's image is a file on another file system, a mapped device rests on
 * others. Read from sysfs (Documentation/ABI/testing/sysfs-block in the kernel's sources).
 */
final class BlockLayers {
    private final BlockDevices blocks;
    private final MountTable mounts;

    BlockLayers(Path sys, MountTable mounts) {
        this.blocks = new BlockDevices(sys);
        this.mounts = mounts;
    }

    /** Devices of the mount's file system and of every file system it rests on, as the mount table names them. */
    Set<String> fileSystemsUnder(Mount mount) {
        var devices = new LinkedHashSet<String>();
        collectFileSystem(mount, devices, BlockDevices.DEPTH_MAXIMUM);
        return devices;
    }

    /** Devices of every file system that a block device, by its node or a link to it, rests on. */
    Set<String> fileSystemsUnder(Path node) {
        var devices = new LinkedHashSet<String>();
        blocks.of(node).ifPresent(block -> collectBlock(block, devices, BlockDevices.DEPTH_MAXIMUM));
        return devices;
    }

    private void collectFileSystem(Mount mount, Set<String> devices, int depth) {
        if (depth == 0 || !devices.add(mount.device())) {
            return;
        }
        blocks.of(mount).ifPresent(block -> collectBlock(block, devices, depth - 1));
    }

    private void collectBlock(Path block, Set<String> devices, int depth) {
        if (depth == 0) {
            return;
        }
        blocks.backingFile(block)
                .flatMap(mounts::holdingFollowed)
                .ifPresent(below -> collectFileSystem(below, devices, depth - 1));
        for (var below : blocks.below(block)) {
            collectBlock(below, devices, depth - 1);
        }
    }
}

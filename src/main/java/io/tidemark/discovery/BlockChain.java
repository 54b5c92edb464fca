package io.tidemark.discovery;

import io.tidemark.consistency.BlockDevices;
import io.tidemark.consistency.Mount;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The devices, and the image files of loop devices, that a file system rests on; from sysfs. */
final class BlockChain {
    private static final Path DEVICES = Path.of("/dev");

    private final BlockDevices devices;

    BlockChain(Path sys) {
        this.devices = new BlockDevices(sys);
    }

    /** From the file system down, names that people know first: {@code /dev/mapper/vg-orders}, {@code /dev/dm-3}. */
    List<Path> under(Mount mount) {
        var chain = new LinkedHashSet<Path>();
        devices.of(mount).ifPresent(block -> collect(block, chain, BlockDevices.DEPTH_MAXIMUM));
        return List.copyOf(chain);
    }

    private void collect(Path block, Set<Path> chain, int depth) {
        if (depth == 0) {
            return;
        }
        devices.mappedName(block)
                .ifPresent(name -> chain.add(DEVICES.resolve("mapper").resolve(name)));
        chain.add(DEVICES.resolve(block.getFileName().toString()));
        devices.backingFile(block).ifPresent(chain::add);
        for (var below : devices.below(block)) {
            collect(below, chain, depth - 1);
        }
    }
}

package io.tidemark.discovery;

import io.tidemark.consistency.Mount;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The devices, and the image files of loop devices, that a file system rests on; from sysfs. */
final class BlockChain {
    /** A loop in sysfs must end somewhere; nobody stacks deeper. */
    private static final int DEPTH_MAXIMUM = 8;

    private static final Path DEVICES = Path.of("/dev");

    private final Path sys;

    BlockChain(Path sys) {
        this.sys = sys;
    }

    /** From the file system down, names that people know first: {@code /dev/mapper/vg-orders}, {@code /dev/dm-3}. */
    List<Path> under(Mount mount) {
        var chain = new LinkedHashSet<Path>();
        block(mount).ifPresent(block -> collect(block, chain, DEPTH_MAXIMUM));
        return List.copyOf(chain);
    }

    /** One with an anonymous device, as Btrfs has, is known by its source. */
    private Optional<Path> block(Mount mount) {
        try {
            if (!mount.device().startsWith("0:")) {
                return Optional.of(
                        sys.resolve("dev/block").resolve(mount.device()).toRealPath());
            }
            var source = Path.of(mount.source());
            return source.startsWith(DEVICES)
                    ? Optional.of(sys.resolve("class/block")
                            .resolve(source.toRealPath().getFileName())
                            .toRealPath())
                    : Optional.empty();
        } catch (IOException e) {
            // No block device that this kernel knows.
            return Optional.empty();
        }
    }

    private void collect(Path block, Set<Path> chain, int depth) {
        if (depth == 0) {
            return;
        }
        text(block.resolve("dm/name"))
                .ifPresent(name -> chain.add(DEVICES.resolve("mapper").resolve(name)));
        chain.add(DEVICES.resolve(block.getFileName().toString()));
        text(block.resolve("loop/backing_file")).map(Path::of).ifPresent(chain::add);
        for (var slave : slaves(block)) {
            collect(slave, chain, depth - 1);
        }
        if (Files.exists(block.resolve("partition"))) {
            var whole = block.getParent();
            if (whole != null) {
                collect(whole, chain, depth - 1);
            }
        }
    }

    private static List<Path> slaves(Path block) {
        var found = new ArrayList<Path>();
        try (var slaves = Files.newDirectoryStream(block.resolve("slaves"))) {
            for (var slave : slaves) {
                found.add(slave.toRealPath());
            }
        } catch (IOException | DirectoryIteratorException e) {
            // A device that rests on no other.
            return found;
        }
        return found;
    }

    private static Optional<String> text(Path file) {
        try {
            return Optional.of(Files.readString(file).strip());
        } catch (IOException e) {
            // Not a device of that kind.
            return Optional.empty();
        }
    }
}

package io.tidemark.consistency;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Block devices as sysfs has them, each by its folder: what a mount lies on, and what that rests on.
 *
 * @param sys where sysfs is mounted
 */
public record BlockDevices(Path sys) {
    /** A loop in sysfs must end somewhere; nobody stacks deeper. */
    public static final int DEPTH_MAXIMUM = 8;

    private static final Path DEVICES = Path.of("/dev");

    /** Of the mount's file system; one with an anonymous device, as Btrfs has, is known by its source. */
    public Optional<Path> of(Mount mount) {
        if (mount.device().startsWith("0:")) {
            var source = Path.of(mount.source());
            return source.startsWith(DEVICES) ? of(source) : Optional.empty();
        }
        return real(sys.resolve("dev/block").resolve(mount.device()));
    }

    /** By its node, or a link to it; empty where this kernel knows no such device. */
    public Optional<Path> of(Path node) {
        return real(node).flatMap(device -> real(sys.resolve("class/block").resolve(device.getFileName())));
    }

    private static Optional<Path> real(Path path) {
        try {
            return Optional.of(path.toRealPath());
        } catch (IOException e) {
            // No block device of that name.
            return Optional.empty();
        }
    }

    /** The devices that it is made of, and the one that it is a part of. */
    public List<Path> below(Path block) {
        var found = new ArrayList<Path>();
        try (var slaves = Files.newDirectoryStream(block.resolve("slaves"))) {
            for (var slave : slaves) {
                real(slave).ifPresent(found::add);
            }
        } catch (IOException | DirectoryIteratorException e) {
            // No such folder: a device that is made of no other.
            found.clear();
        }
        var whole = block.getParent();
        if (whole != null && Files.exists(block.resolve("partition"))) {
            found.add(whole);
        }
        return found;
    }

    /** Of a loop device. */
    public Optional<Path> backingFile(Path block) {
        return text(block.resolve("loop/backing_file")).map(Path::of);
    }

    /** Of a mapped device: {@code vg0-orders}. */
    public Optional<String> mappedName(Path block) {
        return text(block.resolve("dm/name"));
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

package io.tidemark.provider.btrfs;

import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Who uses a subvolume: mounts of it or within it, in every mount namespace; loop devices on its files; processes with
 * an open file, a mapping, their root or their working folder in it. stat(2) answers a device number of its own for
 * every subvolume, whatever the path, so that neither names nor namespaces can hide a use.
 */
final class SubvolumeUse {
    /** Thousands of processes are looked at in less; who cannot be looked at in this counts as a user. */
    static final Duration LIMIT = Duration.ofSeconds(10);

    /** Of a subvolume's root folder: linux/btrfs_tree.h, BTRFS_FIRST_FREE_OBJECTID. */
    private static final long ROOT_INODE = 256;

    /** Of a line of maps: address, rights, offset, device, inode, path. */
    private static final int MAPS_INODE_FIELD = 4;

    private static final int MAPS_FIELDS = 6;

    private static final System.Logger LOG = System.getLogger(SubvolumeUse.class.getName());

    private static final List<String> LINKS = List.of("cwd", "root", "exe");

    private final Path proc;
    private final Path sysBlock;
    private final Duration limit;
    private final LongSupplier nanos;

    SubvolumeUse(Path proc, Path sysBlock, Duration limit, LongSupplier nanos) {
        this.proc = proc;
        this.sysBlock = sysBlock;
        this.limit = limit;
        this.nanos = nanos;
    }

    static SubvolumeUse ofHost(LongSupplier nanos) {
        return new SubvolumeUse(Path.of("/proc"), Path.of("/sys/block"), LIMIT, nanos);
    }

    /** @throws ProviderException Busy, naming who uses it */
    void refuse(Object object, Path subvolume) throws ProviderException {
        try {
            var user = mount(subvolume);
            if (user.isEmpty()) {
                user = new Look(subvolume).user();
            }
            if (user.isPresent()) {
                throw BtrfsErrors.busy(object, user.get());
            }
        } catch (IOException e) {
            throw BtrfsErrors.of("looking who uses " + object, subvolume, e);
        }
    }

    /** Of a snapshot, which nobody can write to, only what would see it vanish: a mount of it. */
    void refuseWhileMounted(Object object, Path subvolume) throws ProviderException {
        try {
            var user = mount(subvolume);
            if (user.isPresent()) {
                throw BtrfsErrors.busy(object, user.get());
            }
        } catch (IOException e) {
            throw BtrfsErrors.of("looking who uses " + object, subvolume, e);
        }
    }

    private Optional<String> mount(Path subvolume) throws IOException {
        var own = BtrfsMounts.ofHost();
        var place = own.placeOf(subvolume);
        if (place.isEmpty()) {
            return Optional.empty();
        }
        var mounted = own.mountOfAnyPart(place.get());
        if (mounted.isPresent()) {
            return mounted.map(point -> "a mount at " + point);
        }
        var seen = new HashSet<String>();
        for (var process : processes()) {
            try {
                var namespace =
                        Files.readSymbolicLink(process.resolve("ns/mnt")).toString();
                if (seen.contains(namespace)) {
                    continue;
                }
                var elsewhere = BtrfsMounts.read(process.resolve("mountinfo")).mountOfAnyPart(place.get());
                seen.add(namespace);
                if (elsewhere.isPresent()) {
                    return elsewhere.map(
                            point -> "a mount at %s in the namespace of %s".formatted(point, named(process)));
                }
            } catch (IOException e) {
                // It has ended, or is about to; another one of its namespace is asked, if there is one.
            }
        }
        return Optional.empty();
    }

    private List<Path> processes() throws IOException {
        return DurableFiles.entries(proc).stream()
                .filter(path -> DurableFiles.nameOf(path).matches("[0-9]+"))
                .toList();
    }

    /** {@code process 41 (postgres)}. */
    private static String named(Path process) {
        var number = DurableFiles.nameOf(process);
        try {
            return "process %s (%s)"
                    .formatted(number, Files.readString(process.resolve("comm")).strip());
        } catch (IOException e) {
            // It has ended, or its name is no text: the number is enough.
            return "process " + number;
        }
    }

    /** One look at all processes. */
    private final class Look {
        private final Path subvolume;
        private final long device;
        private final long deadline;

        /** What a process of an outer container, or under a security module, does not let even root look at. */
        private final List<String> hidden = new ArrayList<>();

        Look(Path subvolume) throws IOException {
            this.subvolume = subvolume;
            this.device = (Long) Files.getAttribute(subvolume, "unix:dev");
            this.deadline = nanos.getAsLong() + limit.toNanos();
        }

        Optional<String> user() throws IOException {
            var loop = loop();
            if (loop.isPresent()) {
                return loop;
            }
            for (var process : processes()) {
                try {
                    if (uses(process)) {
                        return Optional.of(named(process));
                    }
                } catch (TooLongException e) {
                    return Optional.of("somebody, perhaps: not all processes could be looked at in " + limit);
                } catch (AccessDeniedException e) {
                    return Optional.of(named(process) + ", as far as can be seen: it does not show its open files");
                } catch (IOException e) {
                    // It has ended meanwhile.
                }
            }
            if (!hidden.isEmpty()) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "btrfs.use_not_seen subvolume={0} links={1} first={2}",
                        subvolume,
                        hidden.size(),
                        hidden.getFirst());
            }
            return Optional.empty();
        }

        private Optional<String> loop() throws IOException {
            if (!Files.isDirectory(sysBlock)) {
                return Optional.empty();
            }
            for (var block : DurableFiles.entries(sysBlock)) {
                try {
                    var backing = Path.of(
                            Files.readString(block.resolve("loop/backing_file")).stripTrailing());
                    if (backing.startsWith(subvolume) || number(backing, "unix:dev") == device) {
                        return Optional.of("/dev/" + DurableFiles.nameOf(block));
                    }
                } catch (IOException | InvalidPathException e) {
                    // No loop device, or not attached to anything.
                }
            }
            return Optional.empty();
        }

        private boolean uses(Path process) throws IOException {
            boolean ours = DurableFiles.nameOf(process)
                    .equals(String.valueOf(ProcessHandle.current().pid()));
            for (var link : LINKS) {
                if (isIn(process.resolve(link))) {
                    return true;
                }
            }
            for (var descriptor : DurableFiles.entries(process.resolve("fd"))) {
                // Our own calls open a root for a moment.
                if (isIn(descriptor) && !(ours && isRoot(descriptor))) {
                    return true;
                }
            }
            return maps(process);
        }

        /** In maps the device is the whole file system's; the links in map_files lead to the file itself. */
        private boolean maps(Path process) throws IOException {
            var last = "";
            for (var line : lines(process.resolve("maps"))) {
                var fields = line.split(" +", MAPS_FIELDS);
                if (fields.length < MAPS_FIELDS || fields[MAPS_INODE_FIELD].equals("0")) {
                    continue;
                }
                // The parts of one file follow each other.
                var file = fields[MAPS_INODE_FIELD] + " " + fields[MAPS_INODE_FIELD + 1];
                if (!file.equals(last) && isIn(process.resolve("map_files").resolve(unpadded(fields[0])))) {
                    return true;
                }
                last = file;
            }
            return false;
        }

        private List<String> lines(Path maps) throws IOException {
            try {
                return Files.readAllLines(maps, StandardCharsets.ISO_8859_1);
            } catch (AccessDeniedException e) {
                hidden.add(maps.toString());
                return List.of();
            }
        }

        /** maps pads addresses with zeros, map_files does not. */
        private static String unpadded(String addresses) {
            int dash = addresses.indexOf('-');
            return Long.toHexString(Long.parseUnsignedLong(addresses.substring(0, dash), 16))
                    + "-"
                    + Long.toHexString(Long.parseUnsignedLong(addresses.substring(dash + 1), 16));
        }

        private boolean isIn(Path link) throws IOException {
            if (nanos.getAsLong() - deadline > 0) {
                throw new TooLongException();
            }
            return number(link, "unix:dev") == device;
        }

        private boolean isRoot(Path link) throws IOException {
            return number(link, "unix:ino") == ROOT_INODE;
        }

        /** @return -1 for what is not there any more, lies on a file system that has died, or is not shown */
        private long number(Path link, String attribute) {
            try {
                return (Long) Files.getAttribute(link, attribute);
            } catch (AccessDeniedException e) {
                hidden.add(link.toString());
                return -1;
            } catch (IOException e) {
                return -1;
            }
        }
    }

    private static final class TooLongException extends IOException {
        private static final long serialVersionUID = 1L;
    }
}

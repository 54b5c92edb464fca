package io.tidemark.provider.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Which images are attached to loop devices, and where what is on them is mounted. Read from
 * {@code /sys/block/loopN/loop/backing_file} (the kernel's present path of the file: it follows a rename, and ends in
 * {@code (deleted)} once the name is gone) and {@code /proc/self/mountinfo} (proc(5)).
 */
final class LoopDevices {
    private static final String DELETED = " (deleted)";

    /** Devices stacked on devices: partition, mapper, RAID; deeper is a loop in what sysfs says. */
    private static final int STACK_DEPTH_MAXIMUM = 8;

    /** Of a line of mountinfo: id, parent, major:minor, root, mount point, options, ... */
    private static final int DEVICE_FIELD = 2;

    private static final int MOUNT_POINT_FIELD = 4;

    /**
     * One loop device on an image.
     *
     * @param name {@code loop0}
     * @param mountPoints of the device, its partitions, and what is stacked on them
     */
    record Attachment(String name, List<Path> mountPoints) {
        Attachment {
            mountPoints = List.copyOf(mountPoints);
        }

        /** For errors: the device and where it is mounted. */
        String describe() {
            return mountPoints.isEmpty() ? "/dev/" + name : "/dev/%s mounted at %s".formatted(name, mountPoints);
        }
    }

    private final Path sysBlock;
    private final Path mountInfo;

    LoopDevices(Path sysBlock, Path mountInfo) {
        this.sysBlock = sysBlock;
        this.mountInfo = mountInfo;
    }

    static LoopDevices ofHost() {
        return new LoopDevices(Path.of("/sys/block"), Path.of("/proc/self/mountinfo"));
    }

    /** Loop devices whose backing file this is, by whatever path; in order of name. */
    List<Attachment> on(Path image) throws IOException {
        var attachments = new ArrayList<Attachment>();
        if (!DurableFiles.isFolder(sysBlock)) {
            return attachments;
        }
        for (var device : DurableFiles.entries(sysBlock)) {
            var backing = device.resolve("loop/backing_file");
            if (DurableFiles.nameOf(device).startsWith("loop") && isBackedBy(backing, image)) {
                attachments.add(new Attachment(DurableFiles.nameOf(device), mountPointsOf(device)));
            }
        }
        return attachments;
    }

    private static boolean isBackedBy(Path backingFile, Path image) {
        try {
            var text = Files.readString(backingFile).stripTrailing();
            var backing = Path.of(text);
            if (Files.exists(backing)) {
                return Files.isSameFile(backing, image);
            }
            // The name is gone: the device is on the old bytes, which are no volume of ours any more.
            return !text.endsWith(DELETED) && backing.equals(image);
        } catch (IOException | InvalidPathException e) {
            // The device was detached between listing and reading, or the image is gone: not attached to it.
            return false;
        }
    }

    private List<Path> mountPointsOf(Path device) throws IOException {
        var numbers = new HashSet<String>();
        var names = new HashSet<String>();
        collect(device, numbers, names, STACK_DEPTH_MAXIMUM);
        var mountPoints = new ArrayList<Path>();
        for (var line : Files.readAllLines(mountInfo)) {
            var fields = line.split(" ", -1);
            int separator = List.of(fields).indexOf("-");
            if (separator < MOUNT_POINT_FIELD || separator + 2 >= fields.length) {
                continue;
            }
            // Btrfs mounts have a device number of their own: there the source's name tells.
            boolean onDevice =
                    numbers.contains(fields[DEVICE_FIELD]) || names.contains(unescape(fields[separator + 2]));
            var mountPoint = Path.of(unescape(fields[MOUNT_POINT_FIELD]));
            if (onDevice && !mountPoints.contains(mountPoint)) {
                mountPoints.add(mountPoint);
            }
        }
        return mountPoints;
    }

    /** The device, its partitions, and holders of either (device mapper, RAID), however stacked. */
    private void collect(Path device, Set<String> numbers, Set<String> names, int depth) throws IOException {
        if (depth == 0 || !names.add("/dev/" + DurableFiles.nameOf(device))) {
            return;
        }
        var number = device.resolve("dev");
        if (Files.exists(number)) {
            numbers.add(Files.readString(number).strip());
        }
        var mapperName = device.resolve("dm/name");
        if (Files.exists(mapperName)) {
            names.add("/dev/mapper/" + Files.readString(mapperName).strip());
        }
        var holders = device.resolve("holders");
        if (Files.isDirectory(holders)) {
            for (var holder : DurableFiles.entries(holders)) {
                collect(holder, numbers, names, depth - 1);
            }
        }
        if (Files.isDirectory(device)) {
            for (var entry : DurableFiles.entries(device)) {
                if (Files.exists(entry.resolve("partition"))) {
                    collect(entry, numbers, names, depth - 1);
                }
            }
        }
    }

    /** Undoes the octal escapes of blanks, tabs, newlines and backslashes. */
    static String unescape(String field) {
        var text = new StringBuilder();
        for (int index = 0; index < field.length(); index++) {
            char letter = field.charAt(index);
            boolean escaped = letter == '\\'
                    && index + 3 < field.length()
                    && field.substring(index + 1, index + 4).matches("[0-7]{3}");
            if (escaped) {
                text.append((char) Integer.parseInt(field.substring(index + 1, index + 4), 8));
                index += 3;
            } else {
                text.append(letter);
            }
        }
        return text.toString();
    }
}

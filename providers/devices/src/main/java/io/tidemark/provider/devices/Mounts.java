package io.tidemark.provider.devices;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Where this host has devices mounted, as read at one time: {@code /proc/self/mountinfo}, see proc(5), and sysfs. A mount of
 * a device's partition, or of a device stacked on it (mapper, RAID), counts as one of the device.
 */
public final class Mounts {
    private static final Path TABLE = Path.of("/proc/self/mountinfo");
    private static final Path BY_NUMBER = Path.of("/sys/dev/block");

    /** Devices stacked on devices: partition, mapper, RAID; deeper is a loop in what sysfs says. */
    private static final int STACK_DEPTH_MAXIMUM = 8;

    /** Of a line of mountinfo: id, parent, major:minor, root, mount point, options, ... */
    private static final int PARENT_FIELD = 1;

    private static final int DEVICE_FIELD = 2;

    private static final int ROOT_FIELD = 3;

    private static final int MOUNT_POINT_FIELD = 4;

    private final List<String> table;

    private Mounts(List<String> table) {
        this.table = table;
    }

    public static Mounts ofHost() throws IOException {
        return read(TABLE);
    }

    public static Mounts read(Path mountInfo) throws IOException {
        return new Mounts(Files.readAllLines(mountInfo));
    }

    /**
     * One mount.
     *
     * @param id of this mount
     * @param parent the id of the mount that its mount point lies in
     * @param fileSystem its number, {@code major:minor}: the same for all mounts of one file system
     * @param root which folder of the file system is seen there: {@code /} or {@code /a/b}
     */
    public record Mount(String id, String parent, String fileSystem, String root, Path mountPoint) {}

    /** In order of mounting; lines that do not have mountinfo's form are left out. */
    public List<Mount> all() {
        var mounts = new ArrayList<Mount>();
        for (var line : table) {
            var fields = line.split(" ", -1);
            if (fields.length > MOUNT_POINT_FIELD) {
                mounts.add(new Mount(
                        fields[0],
                        fields[PARENT_FIELD],
                        fields[DEVICE_FIELD],
                        unescape(fields[ROOT_FIELD]),
                        Path.of(unescape(fields[MOUNT_POINT_FIELD]))));
            }
        }
        return mounts;
    }

    /** @return none where there is no such device: one that is not active is not mounted */
    public List<Path> of(Path device) throws IOException {
        if (!Files.exists(device)) {
            return List.of();
        }
        long number = (Long) Files.getAttribute(device, "unix:rdev");
        // glibc's gnu_dev_major and gnu_dev_minor, of which Linux uses 32 bits.
        long major = (number >>> 8) & 0xfff;
        long minor = (number & 0xff) | ((number >>> 12) & 0xfff00);
        return ofSystem(BY_NUMBER.resolve(major + ":" + minor));
    }

    /** @param device its folder in sysfs; each mount point once, in order of mounting */
    public List<Path> ofSystem(Path device) throws IOException {
        var numbers = new HashSet<String>();
        var names = new HashSet<String>();
        collect(device, numbers, names, STACK_DEPTH_MAXIMUM);
        var mountPoints = new ArrayList<Path>();
        for (var line : table) {
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

    /** The type, like {@code ext4}, of the file system that a path would be in, by its name alone; empty where none is. */
    public String typeAt(Path path) {
        var type = "";
        int deepest = -1;
        for (var line : table) {
            var fields = line.split(" ", -1);
            int separator = List.of(fields).indexOf("-");
            if (separator < MOUNT_POINT_FIELD || separator + 1 >= fields.length) {
                continue;
            }
            var mountPoint = Path.of(unescape(fields[MOUNT_POINT_FIELD]));
            // Of two at one place the later hides the other.
            if (path.startsWith(mountPoint) && mountPoint.getNameCount() >= deepest) {
                deepest = mountPoint.getNameCount();
                type = fields[separator + 1];
            }
        }
        return type;
    }

    /** The device, its partitions, and holders of either (device mapper, RAID), however stacked. */
    private static void collect(Path device, Set<String> numbers, Set<String> names, int depth) throws IOException {
        // By number there are links to the folder that has the name.
        var folder = Files.exists(device) ? device.toRealPath() : device;
        if (depth == 0 || !names.add("/dev/" + folder.getFileName())) {
            return;
        }
        var number = folder.resolve("dev");
        if (Files.exists(number)) {
            numbers.add(Files.readString(number).strip());
        }
        var mapperName = folder.resolve("dm/name");
        if (Files.exists(mapperName)) {
            names.add("/dev/mapper/" + Files.readString(mapperName).strip());
        }
        for (var holder : entries(folder.resolve("holders"))) {
            collect(holder, numbers, names, depth - 1);
        }
        for (var entry : entries(folder)) {
            if (Files.exists(entry.resolve("partition"))) {
                collect(entry, numbers, names, depth - 1);
            }
        }
    }

    /** None of what is no folder. */
    public static List<Path> entries(Path folder) throws IOException {
        var entries = new ArrayList<Path>();
        if (Files.isDirectory(folder)) {
            try (var stream = Files.newDirectoryStream(folder)) {
                stream.forEach(entries::add);
            } catch (DirectoryIteratorException e) {
                throw e.getCause();
            }
        }
        return entries;
    }

    /** Undoes the octal escapes of blanks, tabs, newlines and backslashes. */
    public static String unescape(String field) {
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

package io.tidemark.consistency;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What is mounted where, in this process's mount namespace. Identity is the mount table's own {@code major:minor}:
 * {@code stat(2)} answers another device for every Btrfs subvolume. Format: proc(5), "/proc/pid/mountinfo".
 */
public final class MountTable {
    private static final Path MOUNTINFO = Path.of("/proc/self/mountinfo");
    private static final Pattern OCTAL = Pattern.compile("\\\\([0-7]{3})");
    private static final String OPTIONAL_FIELDS_END = "-";
    private static final int DEVICE_FIELD = 2;
    private static final int MOUNT_POINT_FIELD = 4;
    private static final int FIRST_OPTIONAL_FIELD = 6;

    private final List<Mount> mounts;

    private MountTable(List<Mount> mounts) {
        this.mounts = List.copyOf(mounts);
    }

    public static MountTable read() throws IOException {
        return parse(Files.readString(MOUNTINFO, StandardCharsets.UTF_8));
    }

    /** Lines that do not have mountinfo's form are left out. */
    public static MountTable parse(String mountinfo) {
        var mounts = new ArrayList<Mount>();
        for (var line : mountinfo.lines().toList()) {
            var fields = List.of(line.split(" ", -1));
            int end = fields.size() > FIRST_OPTIONAL_FIELD
                    ? fields.subList(FIRST_OPTIONAL_FIELD, fields.size()).indexOf(OPTIONAL_FIELDS_END)
                    : -1;
            if (end < 0 || fields.size() < FIRST_OPTIONAL_FIELD + end + 3) {
                continue;
            }
            int type = FIRST_OPTIONAL_FIELD + end + 1;
            mounts.add(new Mount(
                    fields.get(DEVICE_FIELD),
                    Path.of(unescape(fields.get(MOUNT_POINT_FIELD))),
                    fields.get(type),
                    unescape(fields.get(type + 1))));
        }
        return new MountTable(mounts);
    }

    /** The mount that holds an absolute path without symbolic links: the deepest; of several there, the topmost. */
    public Optional<Mount> holding(Path path) {
        Mount best = null;
        for (var mount : mounts) {
            if (path.startsWith(mount.mountPoint())
                    && (best == null
                            || mount.mountPoint().getNameCount()
                                    >= best.mountPoint().getNameCount())) {
                best = mount;
            }
        }
        return Optional.ofNullable(best);
    }

    /** The same, after following the symbolic links of the path, or of its deepest ancestor that exists. */
    public Optional<Mount> holdingFollowed(Path path) {
        var known = path.toAbsolutePath().normalize();
        while (!Files.exists(known)) {
            // It does not exist or cannot be looked at: its parent decides.
            known = known.getParent();
            if (known == null) {
                return Optional.empty();
            }
        }
        try {
            return holding(known.toRealPath());
        } catch (IOException e) {
            // Gone since the line above.
            return holding(known);
        }
    }

    /** Every mount of one file system. */
    public List<Mount> ofDevice(String device) {
        return mounts.stream().filter(mount -> mount.device().equals(device)).toList();
    }

    private static String unescape(String field) {
        return OCTAL.matcher(field)
                .replaceAll(
                        octal -> Matcher.quoteReplacement(String.valueOf((char) Integer.parseInt(octal.group(1), 8))));
    }
}

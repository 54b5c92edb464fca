package io.tidemark.provider.zfs;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** What {@code zfs get -Hp} and {@code zfs holds -H} say: fields parted by tabs. The only place that reads them. */
final class ZfsReport {
    /** Asked for by name: what a new version adds does not come in by itself. */
    static final String PROPERTIES =
            "volsize,volblocksize,referenced,available,mountpoint,canmount,guid,createtxg,origin,clones,defer_destroy,"
                    + "userrefs,"
                    + String.join(
                            ",",
                            ZfsNames.VOLUME,
                            ZfsNames.BYTES,
                            ZfsNames.CLONE_OF,
                            ZfsNames.REPLACES,
                            ZfsNames.INSTEAD_OF,
                            ZfsNames.PLACE,
                            ZfsNames.MOUNTING,
                            ZfsNames.REPLACED,
                            ZfsNames.ARRIVING,
                            ZfsNames.POINT,
                            ZfsNames.CUT_AT);

    private static final List<String> NEEDED = List.of("guid", "createtxg");
    private static final int FIELDS = 4;
    private static final int SETTING_FIELDS = 3;
    private static final int ROOM_FIELDS = 3;
    private static final String BYTES = "[0-9]{1,18}";
    private static final int PATH_FIELD = 2;

    private ZfsReport() {}

    /**
     * Volumes, file systems and their snapshots of {@code zfs get -o name,property,value,source}, in the order of the
     * report. What ZFS says no size of, for it cannot be opened, is left out.
     *
     * @throws ProviderException Unexpected, with the line, for whatever is not such a report
     */
    static List<ZfsObject> objects(String report) throws ProviderException {
        var found = new LinkedHashMap<String, Map<String, String>>();
        for (var line : report.lines().toList()) {
            var fields = line.split("\t", -1);
            if (fields.length != FIELDS) {
                throw new ProviderException(new ProviderError.Unexpected("zfs get", "no line of a report: " + line));
            }
            var properties = found.computeIfAbsent(fields[0], _ -> new LinkedHashMap<>());
            boolean user = fields[1].indexOf(':') >= 0;
            if (!fields[2].equals("-") && !fields[2].isEmpty() && (!user || fields[3].equals("local"))) {
                properties.put(fields[1], fields[2]);
            }
        }
        var objects = new ArrayList<ZfsObject>();
        for (var each : found.entrySet()) {
            if (each.getValue().containsKey("volsize") || each.getValue().containsKey("referenced")) {
                objects.add(checked(new ZfsObject(each.getKey(), each.getValue())));
            }
        }
        return objects;
    }

    private static ZfsObject checked(ZfsObject object) throws ProviderException {
        try {
            NEEDED.forEach(object::number);
            object.volumeBytes();
            object.bytesAvailable();
            return object;
        } catch (IllegalArgumentException e) {
            throw new ProviderException(new ProviderError.Unexpected("zfs get", String.valueOf(e.getMessage())), e);
        }
    }

    /**
     * Names and values of {@code zfs get -o property,source,value}. What another host has told of a volume of its own
     * says nothing of the one that was received here.
     */
    static Map<String, String> settings(String report) throws ProviderException {
        var found = new LinkedHashMap<String, String>();
        for (var line : report.lines().toList()) {
            var fields = line.split("\t", SETTING_FIELDS);
            if (fields.length != SETTING_FIELDS) {
                throw new ProviderException(new ProviderError.Unexpected("zfs get", "no line of a report: " + line));
            }
            if (!fields[0].startsWith(ZfsNames.OWN_PROPERTY) || fields[1].equals("local")) {
                found.put(fields[0], fields[2]);
            }
        }
        return found;
    }

    /** Used and available bytes of {@code zfs get -Hp -o name,property,value used,available}, by name. */
    static Map<String, PoolRoom.Room> rooms(String report) throws ProviderException {
        var used = new LinkedHashMap<String, Long>();
        var available = new LinkedHashMap<String, Long>();
        for (var line : report.lines().toList()) {
            var fields = line.split("\t", -1);
            if (fields.length != ROOM_FIELDS
                    || !(fields[1].equals("used") || fields[1].equals("available"))
                    || !fields[2].matches(BYTES)) {
                throw new ProviderException(new ProviderError.Unexpected("zfs get", "no line of a room: " + line));
            }
            (fields[1].equals("used") ? used : available).put(fields[0], bytes(fields[2]));
        }
        if (!used.keySet().equals(available.keySet())) {
            throw new ProviderException(new ProviderError.Unexpected("zfs get", "no room: " + report));
        }
        var rooms = new LinkedHashMap<String, PoolRoom.Room>();
        used.forEach((name, bytes) ->
                rooms.put(name, new PoolRoom.Room(bytes, Objects.requireNonNull(available.get(name)))));
        return rooms;
    }

    /** The one number of {@code zfs get -Hp -o value}. */
    static long bytes(String report) throws ProviderException {
        try {
            return Long.parseLong(report.strip());
        } catch (NumberFormatException e) {
            throw new ProviderException(new ProviderError.Unexpected("zfs get", "no number: " + report), e);
        }
    }

    /** The one value of {@code zfs get -H -o value}, which is a hyphen where there is none. */
    static Optional<String> value(String report) {
        var value = report.strip();
        return value.equals("-") || value.isEmpty() ? Optional.empty() : Optional.of(value);
    }

    /** Of {@code zfs get -H -o value keystatus,encryptionroot}: whose key is not loaded, if it is not. */
    static Optional<String> unloadedKey(String report) {
        var lines = report.lines().toList();
        return lines.size() == 2 && lines.getFirst().equals("unavailable")
                ? Optional.of(lines.getLast())
                : Optional.empty();
    }

    /** Whether a line of {@code zfs diff -FH} is of a folder that was there before. */
    static boolean isChangedFolder(String line) {
        return line.startsWith("M\t/\t");
    }

    /**
     * A line of {@code zfs diff -FH}, for people: what happened, kind of file, path, of a renaming the new path, too.
     *
     * @param roots where the file system is mounted, with which paths begin
     */
    static String difference(String line, List<Path> roots) {
        var fields = line.split("\t", -1);
        if (fields.length <= PATH_FIELD) {
            return "zfs diff says " + line;
        }
        var path = fields[PATH_FIELD];
        for (var root : roots) {
            if (path.startsWith(root + "/")) {
                path = path.substring(root.toString().length());
                break;
            }
        }
        return switch (fields[0]) {
            case "+" -> path + " is new";
            case "-" -> path + " is gone";
            case "R" -> path + " has another name";
            default -> path + " has changed";
        };
    }

    /** The tags of {@code zfs holds -H}. */
    static List<String> holds(String report) throws ProviderException {
        var tags = new ArrayList<String>();
        for (var line : report.lines().toList()) {
            var fields = line.split("\t", -1);
            if (fields.length < 2) {
                throw new ProviderException(new ProviderError.Unexpected("zfs holds", "no line of holds: " + line));
            }
            tags.add(fields[1]);
        }
        return tags;
    }
}

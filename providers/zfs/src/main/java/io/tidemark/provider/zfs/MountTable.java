package io.tidemark.provider.zfs;

import io.tidemark.provider.devices.Mounts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

/**
 * Where file systems of ZFS and their snapshots are mounted: the lines of {@code mountinfo}, see proc(5), whose source
 * is the name in ZFS, whatever mounted them. ZFS's own {@code mounted} tells of one mount, and not where.
 */
final class MountTable {
    private static final String TYPE = "zfs";

    /** Of a line: id, parent, major:minor, root, mount point, options, ..., a hyphen, type, source. */
    private static final int ROOT_FIELD = 3;

    private static final int POINT_FIELD = 4;

    private final Path processes;

    MountTable() {
        this(Path.of("/proc"));
    }

    /** @param processes where a process has a folder by its number, and this one by {@code self} */
    MountTable(Path processes) {
        this.processes = processes;
    }

    /**
     * @param source the name in ZFS
     * @param whole whether its root is seen there, and not only a folder of it
     * @param point as the kernel says it: there are names that no path of this process's locale has
     */
    record Mount(String source, boolean whole, String point) {}

    /** As this process sees them, in order of mounting. */
    List<Mount> ofHost() throws ProviderException {
        try {
            return read(processes.resolve("self"));
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    private static ProviderException unreadable(Exception e) {
        return new ProviderException(
                new ProviderError.Unexpected("reading where file systems are mounted", e.toString()), e);
    }

    private static List<Mount> read(Path process) throws IOException {
        var found = new ArrayList<Mount>();
        // Not by lines of files, which break off at a name that is no UTF-8.
        var table = new String(Files.readAllBytes(process.resolve("mountinfo")), StandardCharsets.UTF_8);
        for (var line : table.lines().toList()) {
            var fields = List.of(line.split(" ", -1));
            int separator = fields.indexOf("-");
            if (separator > POINT_FIELD
                    && separator + 2 < fields.size()
                    && fields.get(separator + 1).equals(TYPE)) {
                found.add(new Mount(
                        Mounts.unescape(fields.get(separator + 2)),
                        fields.get(ROOT_FIELD).equals("/"),
                        Mounts.unescape(fields.get(POINT_FIELD))));
            }
        }
        return found;
    }

    /** Where the root of a file system is seen, each once. */
    static List<Path> pointsOf(List<Mount> mounts, String source) {
        return mounts.stream()
                .filter(each -> each.whole() && each.source().equals(source))
                .flatMap(each -> path(each.point()).stream())
                .distinct()
                .toList();
    }

    private static Optional<Path> path(String point) {
        try {
            return Optional.of(Path.of(point));
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    /** In any mount namespace that has a process. */
    boolean isMounted(String source) throws ProviderException {
        try {
            refuseWhileMounted(source, source);
            return false;
        } catch (ProviderException e) {
            if (e.error() instanceof ProviderError.Busy) {
                return true;
            }
            throw e;
        }
    }

    /** @throws ProviderException Busy, naming where, while it is mounted in any mount namespace that has a process */
    void refuseWhileMounted(Object object, String source) throws ProviderException {
        var own = first(ofHost(), source);
        if (own.isPresent()) {
            throw ZfsErrors.busy(object, "the mount at " + own.get());
        }
        try (var found = Files.newDirectoryStream(processes, "[0-9]*")) {
            var seen = new HashSet<Path>();
            for (var process : found) {
                // Hundreds of processes share a table, which may be long.
                if (seen.add(namespace(process))) {
                    var point = ofOther(process, source);
                    if (point.isPresent()) {
                        throw ZfsErrors.busy(
                                object,
                                "the mount at %s, as process %s sees it".formatted(point.get(), process.getFileName()));
                    }
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            throw unreadable(e);
        }
    }

    private static Optional<String> first(List<Mount> mounts, String source) {
        return mounts.stream()
                .filter(each -> each.source().equals(source))
                .map(Mount::point)
                .findFirst();
    }

    /** The process itself, where it does not show its namespace. */
    private static Path namespace(Path process) {
        try {
            return Files.readSymbolicLink(process.resolve("ns").resolve("mnt"));
        } catch (IOException e) {
            return process;
        }
    }

    /** Empty for a process that has ended. */
    private static Optional<String> ofOther(Path process, String source) {
        try {
            return first(read(process), source);
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}

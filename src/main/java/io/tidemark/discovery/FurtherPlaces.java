package io.tidemark.discovery;

import io.tidemark.consistency.Mount;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** Where a server keeps data beside its data directory: by links in it, and by files that it has open elsewhere. */
final class FurtherPlaces {
    /** What a server writes and no recovery needs; {@code #sql}: temporary tables of MariaDB. */
    static final Predicate<String> LOG = Pattern.compile(
                    ".*\\.(log|err|pid|csv|json)(\\.[0-9]+)?|.*/#sql[^/]*|/dev/.*|/proc/.*|/sys/.*")
            .asMatchPredicate();

    private final ProcFolder proc;

    FurtherPlaces(ProcFolder proc) {
        this.proc = proc;
    }

    /** Symbolic links in a folder. */
    static void addLinks(
            HostProcess process, Path folder, String what, Map<Path, String> data, Predicate<String> names) {
        try (var entries = Files.newDirectoryStream(process.root().onHost(folder))) {
            for (var entry : entries) {
                var name = entry.getFileName().toString();
                if (Files.isSymbolicLink(entry) && names.test(name)) {
                    data.putIfAbsent(folder.resolve(name), what);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            // No such folder here: nothing leads out of it.
            return;
        }
    }

    /**
     * What it writes elsewhere: data of which no setting told, or a log.
     *
     * @param own its processes
     * @param notNeeded which files no recovery needs
     */
    void addOpen(
            HostProcess process,
            List<HostProcess> own,
            Predicate<String> notNeeded,
            Map<Path, String> data,
            List<String> notes) {
        var known = new ArrayList<Path>();
        for (var place : data.keySet()) {
            known.add(followed(process, place));
        }
        for (var one : own) {
            for (var file : proc.writtenFiles(one.pid())) {
                var parent = file.getParent();
                if (parent == null
                        || known.stream()
                                .anyMatch(place -> file.startsWith(place) && sameMount(process, file, place))) {
                    continue;
                }
                if (notNeeded.test(file.toString())) {
                    tellNotNeeded(file, notes);
                } else {
                    data.putIfAbsent(parent, "open file " + file.getFileName());
                    known.add(parent);
                }
            }
        }
    }

    static void tellNotNeeded(Path file, List<String> notes) {
        var note = "it also writes %s, which a recovery does not need".formatted(file);
        if (!file.startsWith("/dev") && !notes.contains(note)) {
            notes.add(note);
        }
    }

    /** A folder below may be a file system of its own. */
    private static boolean sameMount(HostProcess process, Path one, Path other) {
        return mountPoint(process, one).equals(mountPoint(process, other));
    }

    private static Optional<Path> mountPoint(HostProcess process, Path path) {
        return process.mounts().holding(path).map(Mount::mountPoint);
    }

    static Path followed(HostProcess process, Path place) {
        try {
            return process.root().follow(place);
        } catch (IOException e) {
            return place;
        }
    }
}

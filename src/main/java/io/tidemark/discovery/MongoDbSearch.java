package io.tidemark.discovery;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Servers of MongoDB. The working directory of one says nothing, and its options are what somebody wrote: where its data
 * lies is told by the files that it has open.
 */
final class MongoDbSearch implements KindSearch {
    private static final String PROGRAM = "mongod";
    /** Open for writing, in {@code dbPath}, for as long as the server runs. */
    private static final Set<String> IN_DB_PATH = Set.of("mongod.lock", "WiredTiger.lock");
    /** No start needs them: metrics, and what sorts spill. */
    private static final Set<String> FOLDERS_NOT_NEEDED = Set.of("diagnostic.data", "_tmp");

    private static final Pattern METRICS = Pattern.compile(".*/metrics\\.[^/]*");
    /** Source: MongoDB manual, "Configuration File Options" and mongod, "Options". */
    private static final List<String> CONFIG_OPTIONS = List.of("--config", "-f");

    private static final String DB_PATH_OPTION = "--dbpath";
    private static final Pattern DB_PATH_LINE =
            Pattern.compile("\\s*(dbPath\\s*:|dbpath\\s*=)\\s*[\"']?([^\"'#]+?)[\"']?\\s*(#.*)?");
    /** Larger than any configuration. */
    private static final long CONFIG_BYTES_MAXIMUM = 1 << 20;

    private final ProcFolder proc;
    private final FurtherPlaces further;

    MongoDbSearch(ProcFolder proc) {
        this.proc = proc;
        this.further = new FurtherPlaces(proc);
    }

    @Override
    public boolean concerns(List<String> names) {
        return names.contains(PROGRAM);
    }

    @Override
    public List<FoundServer> find(List<HostProcess> processes) {
        var all = processes.stream().filter(process -> process.runs(PROGRAM)).toList();
        var found = new ArrayList<FoundServer>();
        for (var process : all) {
            var data = dbPath(process);
            boolean launcher = all.stream().anyMatch(other -> other.parent() == process.pid());
            if (data.isPresent() || !launcher) {
                found.add(server(process, data));
            }
        }
        return found;
    }

    private Optional<Path> dbPath(HostProcess process) {
        return proc.writtenFiles(process.pid()).stream()
                .filter(file -> IN_DB_PATH.contains(file.getFileName().toString()))
                .map(Path::getParent)
                .findFirst();
    }

    private FoundServer server(HostProcess process, Optional<Path> dbPath) {
        var wanted = wanted(process);
        if (dbPath.isEmpty()) {
            var hint = wanted.map(path -> " (its options name dbPath %s)".formatted(path))
                    .orElse("");
            return FoundServer.unseen("mongodb", process, UNSEEN + hint);
        }
        var data = new LinkedHashMap<Path, String>();
        data.put(dbPath.get(), "dbPath");
        var notes = new ArrayList<String>();
        wanted.filter(path -> !FurtherPlaces.followed(process, path).equals(dbPath.get()))
                .ifPresent(path -> notes.add(
                        "its options name dbPath %s, its files are open in %s".formatted(path, dbPath.get())));
        FurtherPlaces.addLinks(
                process, dbPath.get(), "journal or database", data, name -> !FOLDERS_NOT_NEEDED.contains(name));
        further.addOpen(
                process,
                List.of(process),
                FurtherPlaces.LOG.or(file -> METRICS.matcher(file).matches()),
                data,
                notes);
        var settings = new LinkedHashMap<String, String>();
        proc.ports(process.pid()).stream().findFirst().ifPresent(port -> settings.put("port", Integer.toString(port)));
        return new FoundServer(
                "mongodb",
                process,
                data,
                settings,
                Map.of("user", "with passwordFile, where the server has access control"),
                notes,
                "");
    }

    /** What its options say, on the command line or else in the file that they name. */
    private static Optional<Path> wanted(HostProcess process) {
        var given = option(process.arguments(), List.of(DB_PATH_OPTION));
        if (given.isEmpty()) {
            given = option(process.arguments(), CONFIG_OPTIONS)
                    .flatMap(file -> path(process, file))
                    .flatMap(file -> written(process, file));
        }
        return given.flatMap(text -> path(process, text));
    }

    private static Optional<String> option(List<String> arguments, List<String> names) {
        for (int index = 0; index < arguments.size(); index++) {
            var argument = arguments.get(index);
            for (var name : names) {
                if (argument.equals(name) && index + 1 < arguments.size()) {
                    return Optional.of(arguments.get(index + 1));
                }
                if (argument.startsWith(name + "=")) {
                    return Optional.of(argument.substring(name.length() + 1));
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<Path> path(HostProcess process, String text) {
        try {
            var path = Path.of(text);
            return path.isAbsolute()
                    ? Optional.of(path.normalize())
                    : process.workingFolder().map(folder -> folder.resolve(path).normalize());
        } catch (InvalidPathException e) {
            // A hint that is none.
            return Optional.empty();
        }
    }

    private static Optional<String> written(HostProcess process, Path config) {
        try {
            var file = process.root().onHost(process.root().follow(config));
            if (!Files.isRegularFile(file) || Files.size(file) > CONFIG_BYTES_MAXIMUM) {
                return Optional.empty();
            }
            return Files.readAllLines(file, StandardCharsets.ISO_8859_1).stream()
                    .map(DB_PATH_LINE::matcher)
                    .filter(java.util.regex.Matcher::matches)
                    .map(matcher -> matcher.group(2))
                    .findFirst();
        } catch (IOException e) {
            // A hint that is not to be had.
            return Optional.empty();
        }
    }
}

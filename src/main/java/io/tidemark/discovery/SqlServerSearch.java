package io.tidemark.discovery;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * SQL Server on Linux: a process that watches, and a child of the same name that does the work. Where its data lies is told
 * by the files that they have open: no folder is its working directory.
 */
final class SqlServerSearch implements KindSearch {
    private static final String PROGRAM = "sqlservr";
    private static final int PORT_DEFAULT = 1433;
    private static final Pattern DATABASE_FILE = Pattern.compile(".*\\.(mdf|ndf|ldf)", Pattern.CASE_INSENSITIVE);
    /** Of databases that the server makes itself, and that cannot be suspended; {@code tempdb} is made anew at each start. */
    private static final Pattern OWN_FILE =
            Pattern.compile("(master|model|msdbdata|model_msdbdata|model_replicatedmaster|tempdb[^/]*)\\.[mn]df"
                    + "|(mastlog|modellog|msdblog|model_msdblog|model_replicatedmaster|templog)\\.ldf");

    private static final String ERROR_LOG = "errorlog";
    /** Traces, the server's own registry, its keys. */
    private static final Predicate<String> NOT_NEEDED = Pattern.compile(
                    ".*\\.(xel|trc|pid)|.*/\\.system/.*|.*/secrets/.*|/dev/.*|/proc/.*|/sys/.*")
            .asMatchPredicate();

    private final ProcFolder proc;

    SqlServerSearch(ProcFolder proc) {
        this.proc = proc;
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
            if (all.stream().noneMatch(other -> other.pid() == process.parent())) {
                var own = all.stream()
                        .filter(other -> other.pid() == process.pid() || other.parent() == process.pid())
                        .toList();
                found.add(server(process, own));
            }
        }
        return found;
    }

    private FoundServer server(HostProcess process, List<HostProcess> own) {
        var files = new TreeSet<Path>();
        own.forEach(one -> files.addAll(proc.writtenFiles(one.pid())));
        if (files.isEmpty()) {
            return FoundServer.unseen("sqlserver", process, UNSEEN);
        }
        var logFolders = files.stream()
                .filter(file -> file.endsWith(ERROR_LOG))
                .map(Path::getParent)
                .collect(Collectors.toSet());
        var data = new LinkedHashMap<Path, String>();
        var ownFolders = new TreeSet<Path>();
        var notes = new ArrayList<String>();
        for (var file : files) {
            var name = file.getFileName().toString();
            boolean ofDatabase = DATABASE_FILE.matcher(name).matches();
            if (OWN_FILE.matcher(name).matches()) {
                ownFolders.add(file.getParent());
            } else if (NOT_NEEDED.test(file.toString()) || (logFolders.contains(file.getParent()) && !ofDatabase)) {
                FurtherPlaces.tellNotNeeded(file, notes);
            } else {
                data.putIfAbsent(file.getParent(), what(name, ofDatabase));
            }
        }
        ownFolders.removeAll(data.keySet());
        ownFolders.forEach(folder ->
                notes.add("the server's own databases in %s cannot be suspended, and are left out".formatted(folder)));
        if (data.isEmpty()) {
            return FoundServer.unseen("sqlserver", process, "it has no file of a user's database open");
        }
        var settings = new LinkedHashMap<String, String>();
        var toComplete = new LinkedHashMap<String, String>();
        port(own, settings, toComplete);
        toComplete.put("user", "a login of yours, where it is not tidemark");
        toComplete.put("databases", "several with a semicolon; without it all of users");
        return new FoundServer("sqlserver", process, data, settings, toComplete, notes, "");
    }

    private static String what(String name, boolean ofDatabase) {
        if (!ofDatabase) {
            return "open file " + name;
        }
        return (name.toLowerCase(java.util.Locale.ROOT).endsWith("ldf") ? "log file " : "data file ") + name;
    }

    /** It listens on others too, for administrators and for itself, on this host alone. */
    private void port(List<HostProcess> own, Map<String, String> settings, Map<String, String> toComplete) {
        var ports = new TreeSet<Integer>();
        own.forEach(one -> ports.addAll(proc.ports(one.pid())));
        var outer = new TreeSet<Integer>();
        own.forEach(one -> outer.addAll(proc.outerPorts(one.pid())));
        if (ports.contains(PORT_DEFAULT)) {
            settings.put("port", Integer.toString(PORT_DEFAULT));
        } else if (outer.size() == 1) {
            settings.put("port", Integer.toString(outer.first()));
        } else if (ports.isEmpty()) {
            toComplete.put("port", "it was not seen to listen");
        } else {
            toComplete.put("port", "one of %s".formatted(outer.isEmpty() ? ports : outer));
        }
    }
}

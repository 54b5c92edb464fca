package io.tidemark.discovery;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Oracle Database: an instance is many processes, each of which carries the instance's name (SID) in its own. Where its data
 * lies is told by the files that those have open which write data, redo logs and control files.
 */
final class OracleSearch implements KindSearch {
    private static final String PROGRAM = "oracle";
    private static final String LISTENER = "tnslsnr";
    private static final String PREFIX = "ora_";
    /** Every instance has one. */
    private static final String MONITOR = "pmon";
    /** The instance's name may itself hold what separates it. Source: Oracle Database Reference, "Background Processes". */
    private static final Pattern TITLE = Pattern.compile(PREFIX + "([a-z][a-z0-9]{3})_(.+)");

    private static final Pattern REDO_WRITER = Pattern.compile("lgwr|lg[0-9]{2}");
    private static final Pattern WRITER = Pattern.compile("dbw[0-9a-z]|bw[0-9]{2}|ckpt|" + REDO_WRITER.pattern());
    private static final Pattern CONTROL_FILE = Pattern.compile("control[^/]*|.*\\.ctl", Pattern.CASE_INSENSITIVE);
    /** Traces, audits, the health monitor's file and the lock of an instance. Redo logs end in .log, and are no logs. */
    private static final Predicate<String> NOT_NEEDED = Pattern.compile(
                    ".*\\.(trc|trm|aud)|.*/hc_[^/]*\\.dat|.*/dbs/lk[^/]*|.*/alert_[^/]*\\.log|/proc/.*|/sys/.*"
                            + "|/dev/(null|zero|u?random|tty|shm/.*|pts/.*|hugepages/.*)")
            .asMatchPredicate();

    private static final Path DEVICES = Path.of("/dev");

    private final ProcFolder proc;

    OracleSearch(ProcFolder proc) {
        this.proc = proc;
    }

    /** One of an instance's processes. */
    private record Background(HostProcess process, String role, String sid) {
        boolean sameInstance(Background other) {
            return sid.equals(other.sid)
                    && process.mountNamespace().equals(other.process().mountNamespace());
        }
    }

    @Override
    public boolean concerns(List<String> names) {
        return names.contains(LISTENER) || names.stream().anyMatch(name -> name.startsWith(PREFIX));
    }

    @Override
    public List<FoundServer> find(List<HostProcess> processes) {
        var all = processes.stream()
                .flatMap(process -> background(process).stream())
                .toList();
        return all.stream()
                .filter(one -> one.role().equals(MONITOR))
                .map(one -> instance(
                        one,
                        all.stream().filter(one::sameInstance).toList(),
                        processes.stream()
                                .filter(process -> process.runs(LISTENER)
                                        && process.mountNamespace()
                                                .equals(one.process().mountNamespace()))
                                .toList()))
                .toList();
    }

    /** The whole name stands in the process's title: that of its main thread is cut off after 15 bytes. */
    private static Optional<Background> background(HostProcess process) {
        if (process.file().filter(file -> !file.equals(PROGRAM)).isPresent()) {
            return Optional.empty();
        }
        return Optional.of(TITLE.matcher(process.title()))
                .filter(Matcher::matches)
                .map(title -> new Background(process, title.group(1), title.group(2)));
    }

    private FoundServer instance(Background monitor, List<Background> all, List<HostProcess> listeners) {
        var data = new LinkedHashMap<Path, String>();
        var devices = new TreeSet<Path>();
        var notes = new ArrayList<String>();
        for (var one : all) {
            if (!WRITER.matcher(one.role()).matches()) {
                continue;
            }
            for (var file : new TreeSet<>(proc.writtenFiles(one.process().pid()))) {
                if (NOT_NEEDED.test(file.toString())) {
                    FurtherPlaces.tellNotNeeded(file, notes);
                } else if (file.startsWith(DEVICES)) {
                    devices.add(file);
                } else {
                    data.putIfAbsent(file.getParent(), what(one.role(), file.getFileName()));
                }
            }
        }
        var process = monitor.process();
        if (!devices.isEmpty()) {
            return FoundServer.unseen(
                    "oracle",
                    process,
                    "instance %s keeps data on %s itself, as ASM does, where there is no file system to follow"
                            .formatted(monitor.sid(), devices.first()));
        }
        if (data.isEmpty()) {
            return FoundServer.unseen("oracle", process, "instance %s: %s".formatted(monitor.sid(), UNSEEN));
        }
        var settings = new LinkedHashMap<String, String>();
        var toComplete = new LinkedHashMap<String, String>();
        toComplete.put(
                "service",
                "needed: that of the database of instance %s, or of its root container; lsnrctl status lists them"
                        .formatted(monitor.sid()));
        port(listeners, settings, toComplete);
        toComplete.put("user", "an account of yours, where it is not c##tidemark");
        return new FoundServer("oracle", process, data, settings, toComplete, notes, "");
    }

    private static String what(String role, Path name) {
        if (CONTROL_FILE.matcher(name.toString()).matches()) {
            return "control file " + name;
        }
        return (REDO_WRITER.matcher(role).matches() ? "redo log " : "data file ") + name;
    }

    /** Instances have no port of their own. */
    private void port(List<HostProcess> listeners, Map<String, String> settings, Map<String, String> toComplete) {
        var ports = new TreeSet<Integer>();
        listeners.forEach(listener -> ports.addAll(proc.ports(listener.pid())));
        if (ports.size() == 1) {
            settings.put("port", Integer.toString(ports.first()));
        } else {
            toComplete.put(
                    "port",
                    ports.isEmpty()
                            ? "of the listener, where it is not 1521; no listener was found"
                            : "of the listener that knows the service, one of %s".formatted(ports));
        }
    }
}

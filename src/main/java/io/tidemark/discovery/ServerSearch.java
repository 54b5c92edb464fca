package io.tidemark.discovery;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The database servers among the processes, and where each keeps what. Asks none of them. */
final class ServerSearch {
    private static final List<String> POSTGRESQL = List.of("postgres", "postmaster");
    private static final List<String> MARIADB = List.of("mariadbd");
    /** MySQL's program, and MariaDB's where it is older or so named; files tell which. */
    private static final List<String> MYSQL = List.of("mysqld");
    /** Aria's control file: MariaDB has one whatever its tables are, and MySQL knows no Aria. */
    private static final String ARIA_CONTROL = "aria_log_control";

    private static final List<String> REDIS = List.of("redis-server");
    /** Lines of postmaster.pid, counted from 0: PostgreSQL's src/include/utils/pidfile.h. */
    private static final int PORT_LINE = 3;

    private static final int SOCKET_FOLDER_LINE = 4;
    private final ProcFolder proc;
    private final FurtherPlaces further;
    private final List<KindSearch> kinds;

    ServerSearch(ProcFolder proc) {
        this.proc = proc;
        this.further = new FurtherPlaces(proc);
        this.kinds = List.of(new MongoDbSearch(proc), new SqlServerSearch(proc), new OracleSearch(proc));
    }

    List<FoundServer> find() throws IOException {
        var every = new ArrayList<String>(POSTGRESQL);
        every.addAll(MARIADB);
        every.addAll(MYSQL);
        every.addAll(REDIS);
        var everything = proc.processes(names ->
                names.stream().anyMatch(every::contains) || kinds.stream().anyMatch(kind -> kind.concerns(names)));
        var processes = everything.stream().filter(one -> one.goesBy(every)).toList();
        var found = new ArrayList<FoundServer>();
        for (var process : processes) {
            boolean child = processes.stream()
                    .anyMatch(other -> other.pid() == process.parent() && other.goesBy(process.program()));
            if (!child) {
                found.add(server(process, processes));
            }
        }
        kinds.forEach(kind -> found.addAll(kind.find(everything)));
        return found;
    }

    private FoundServer server(HostProcess process, List<HostProcess> all) {
        var kind = kind(process);
        var folder = process.workingFolder();
        if (folder.isEmpty() || !Files.isDirectory(process.root().onHost(folder.get()))) {
            return FoundServer.unseen(kind, process, KindSearch.UNSEEN);
        }
        var data = new LinkedHashMap<Path, String>();
        data.put(folder.get(), "data directory");
        var settings = new LinkedHashMap<String, String>();
        var notes = new ArrayList<String>();
        switch (kind) {
            case "postgresql" -> postgresql(process, folder.get(), data, settings);
            case "mariadb", "mysql" -> mysql(process, folder.get(), data, settings);
            default -> redis(process, folder.get(), data, settings);
        }
        var own = all.stream()
                .filter(one -> one.pid() == process.pid() || one.parent() == process.pid())
                .toList();
        further.addOpen(process, own, FurtherPlaces.LOG, data, notes);
        return new FoundServer(kind, process, data, settings, Map.of(), notes, "");
    }

    private static void postgresql(
            HostProcess process, Path folder, Map<Path, String> data, Map<String, String> settings) {
        FurtherPlaces.addLinks(process, folder, "write-ahead log", data, name -> name.equals("pg_wal"));
        FurtherPlaces.addLinks(process, folder.resolve("pg_tblspc"), "tablespace", data, name -> true);
        var lines = lines(process.root().onHost(folder.resolve("postmaster.pid")));
        if (lines.size() > SOCKET_FOLDER_LINE) {
            settings.put("port", lines.get(PORT_LINE).strip());
            var socketFolder = lines.get(SOCKET_FOLDER_LINE).strip();
            if (socketFolder.startsWith("/") && !process.otherNamespace()) {
                settings.put("socketFolder", socketFolder);
            }
        }
    }

    private static String kind(HostProcess process) {
        if (process.goesBy(POSTGRESQL)) {
            return "postgresql";
        }
        if (process.goesBy(MARIADB)) {
            return "mariadb";
        }
        if (!process.goesBy(MYSQL)) {
            return "redis";
        }
        boolean aria = process.workingFolder()
                .map(folder -> process.root().onHost(folder.resolve(ARIA_CONTROL)))
                .filter(Files::exists)
                .isPresent();
        return aria ? "mariadb" : "mysql";
    }

    private void mysql(HostProcess process, Path folder, Map<Path, String> data, Map<String, String> settings) {
        FurtherPlaces.addLinks(process, folder, "database", data, name -> true);
        address(process, "socketFile", settings);
    }

    private void redis(HostProcess process, Path folder, Map<Path, String> data, Map<String, String> settings) {
        FurtherPlaces.addLinks(process, folder, "append-only or save file", data, name -> true);
        address(process, "socket", settings);
    }

    /** A Unix socket needs no password on the wire; it is of use only where we see it too. */
    private void address(HostProcess process, String socketSetting, Map<String, String> settings) {
        Optional<Path> socket = process.otherNamespace()
                ? Optional.empty()
                : proc.sockets(process.pid()).stream()
                        .filter(path -> !path.toString().contains("mysqlx"))
                        .findFirst();
        socket.ifPresent(path -> settings.put(socketSetting, path.toString()));
        if (socket.isEmpty()) {
            proc.ports(process.pid()).stream()
                    .findFirst()
                    .ifPresent(port -> settings.put("port", Integer.toString(port)));
        }
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            // Its settings are left out, and its defaults may do.
            return List.of();
        }
    }
}

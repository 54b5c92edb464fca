package io.tidemark.consistency.mysqlprotocol;

import io.tidemark.consistency.ApplicationPlaces;
import io.tidemark.spi.Volume;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * All places where a server on this host keeps data: its variables, and what leads out of the data directory: databases
 * and tables that are symbolic links, InnoDB tables with a DATA DIRECTORY, whose path is in an {@code .isl} file.
 */
public final class DataPlaces {
    private static final String LINK_FILE = ".isl";
    private static final int LINK_FILE_BYTES_MAXIMUM = 4_096;
    /** A server with more files than this is looked at in part: each costs a call of the kernel. */
    private static final int FILES_MAXIMUM = 200_000;

    private final ApplicationPlaces volumesOfHost;
    private final int filesMaximum;

    public DataPlaces(ApplicationPlaces volumesOfHost) {
        this(volumesOfHost, FILES_MAXIMUM);
    }

    public DataPlaces(ApplicationPlaces volumesOfHost, int filesMaximum) {
        this.volumesOfHost = volumesOfHost;
        this.filesMaximum = filesMaximum;
    }

    /** What leads out of the data directory. Places are named by their folder: many tables may share one. */
    private static final class Walk {
        final Map<Path, String> places = new LinkedHashMap<>();
        final List<String> unverified = new ArrayList<>();
        int files;
    }

    /**
     * @param variables the server's own, by name; empty where it does not have one
     * @param more what else the server named: what each is called, by its path, which may be of the data directory
     */
    public ApplicationPlaces.Finding find(
            Function<String, Optional<String>> variables, Map<Path, String> more, List<Volume> volumes) {
        var dataDirectory = variables.apply("datadir").map(Path::of);
        if (dataDirectory.isEmpty()) {
            return ApplicationPlaces.Finding.unverified(
                    "the server does not tell its datadir, so nobody checked that it lies on the volumes");
        }
        var data = dataDirectory.get().normalize();
        var places = new LinkedHashMap<Path, String>();
        places.put(data, "data directory");
        addVariables(variables, data, places);
        more.forEach((path, name) -> add(places, data.resolve(path), name));
        var walk = new Walk();
        if (Files.exists(data)) {
            walkDataDirectory(data, walk);
        }
        walk.places.forEach(places::putIfAbsent);
        var finding = volumesOfHost.find(places, volumes);
        walk.unverified.addAll(0, finding.unverified());
        return new ApplicationPlaces.Finding(finding.outside(), walk.unverified);
    }

    private static void addVariables(Function<String, Optional<String>> server, Path data, Map<Path, String> places) {
        var system = server.apply("innodb_data_home_dir").map(data::resolve).orElse(data);
        add(places, system, "InnoDB's system tablespace");
        server.apply("innodb_data_file_path").ifPresent(list -> {
            for (var file : list.split(";", -1)) {
                var name = file.split(":", 2)[0].strip();
                if (!name.isEmpty()) {
                    add(places, system.resolve(name), "InnoDB's system tablespace");
                }
            }
        });
        server.apply("innodb_log_group_home_dir").ifPresent(path -> add(places, data.resolve(path), "InnoDB's log"));
        server.apply("innodb_undo_directory").ifPresent(path -> add(places, data.resolve(path), "InnoDB's undo log"));
        server.apply("log_bin_basename").ifPresent(path -> addFolder(places, data.resolve(path), "binary log"));
        server.apply("relay_log_basename").ifPresent(path -> addFolder(places, data.resolve(path), "relay log"));
    }

    private static void add(Map<Path, String> places, Path path, String name) {
        places.putIfAbsent(path.normalize(), name);
    }

    private static void addFolder(Map<Path, String> places, Path file, String name) {
        var folder = file.normalize().getParent();
        if (folder != null) {
            places.putIfAbsent(folder, name);
        }
    }

    private void walkDataDirectory(Path data, Walk walk) {
        try (var entries = Files.newDirectoryStream(data)) {
            for (var entry : entries) {
                if (Files.isDirectory(entry)) {
                    if (Files.isSymbolicLink(entry)) {
                        walk.places.putIfAbsent(entry, "database");
                    }
                    walkDatabase(entry, walk);
                } else {
                    look(entry, walk);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            walk.unverified.add("data directory %s cannot be listed (%s), so nobody checked where its tables lie"
                    .formatted(data, e.getMessage()));
        }
    }

    private void walkDatabase(Path database, Walk walk) {
        try (var entries = Files.newDirectoryStream(database)) {
            for (var entry : entries) {
                if (walk.files == filesMaximum) {
                    walk.files++;
                    walk.unverified.add("more than %d files are in the data directory: nobody checked where all lie"
                            .formatted(filesMaximum));
                }
                if (walk.files > filesMaximum) {
                    return;
                }
                walk.files++;
                look(entry, walk);
            }
        } catch (IOException | DirectoryIteratorException e) {
            walk.unverified.add("database %s cannot be listed (%s), so nobody checked where its tables lie"
                    .formatted(database, e.getMessage()));
        }
    }

    private static void look(Path file, Walk walk) {
        try {
            if (Files.isSymbolicLink(file)) {
                addFolder(walk.places, file.toRealPath(), "table's file, by the link %s, in".formatted(file));
            } else if (file.toString().endsWith(LINK_FILE)) {
                if (Files.size(file) > LINK_FILE_BYTES_MAXIMUM) {
                    throw new IOException("it is larger than %d bytes".formatted(LINK_FILE_BYTES_MAXIMUM));
                }
                var target =
                        Path.of(Files.readString(file, StandardCharsets.UTF_8).strip());
                addFolder(walk.places, target, "table's file, by %s, in".formatted(file));
            }
        } catch (IOException e) {
            walk.unverified.add(
                    "%s cannot be followed (%s), so nobody checked where it leads".formatted(file, e.getMessage()));
        }
    }
}

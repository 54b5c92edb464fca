package io.tidemark.consistency.postgresql;

import io.tidemark.consistency.ApplicationPlaces;
import io.tidemark.consistency.MountTable;
import io.tidemark.spi.Volume;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Whether all that a server writes lies on the volumes that will be cut: data directory, log, tablespaces. */
final class DataPlaces {
    private final ApplicationPlaces places;

    DataPlaces(MountTable mounts) {
        this.places = new ApplicationPlaces(mounts);
    }

    ApplicationPlaces.Finding find(PostgresSession.Server server, boolean local, List<Volume> volumes) {
        if (!local) {
            return ApplicationPlaces.Finding.elsewhere();
        }
        if (server.dataDirectory().isEmpty()) {
            return ApplicationPlaces.Finding.unverified("data_directory is hidden from the role (grant"
                    + " pg_read_all_settings), so nobody checked that it lies on the volumes");
        }
        return places.find(places(server), volumes);
    }

    private static Map<Path, String> places(PostgresSession.Server server) {
        var places = new LinkedHashMap<Path, String>();
        var data = Path.of(server.dataDirectory().orElseThrow());
        places.put(data, "data directory");
        if (Files.exists(data.resolve("pg_wal"))) {
            // Often a symbolic link to another file system; followed by the mount table's look-up.
            places.put(data.resolve("pg_wal"), "write-ahead log");
        }
        server.tablespaces().forEach(tablespace -> places.put(Path.of(tablespace), "tablespace"));
        return places;
    }

    /** Whether the server is on this host. */
    static boolean isLocal(PostgresSettings settings) {
        return settings.socketFolder().isPresent() || ApplicationPlaces.isLocal(settings.host());
    }
}

package io.tidemark.consistency.mariadb;

import io.tidemark.consistency.ApplicationPlaces;
import io.tidemark.consistency.mysqlprotocol.DataPlaces;
import io.tidemark.spi.Volume;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;

/** Where a MariaDB on this host keeps data; Aria's log beside what {@link DataPlaces} knows. */
final class MariaDbPlaces {
    private final DataPlaces places;

    MariaDbPlaces(DataPlaces places) {
        this.places = places;
    }

    ApplicationPlaces.Finding find(ServerDescription server, List<Volume> volumes) {
        var more = new HashMap<Path, String>();
        server.variable("aria_log_dir_path").ifPresent(path -> more.put(Path.of(path), "Aria's log"));
        return places.find(server::variable, more, volumes);
    }
}

package io.tidemark.system.recoverypoint;

import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.Moments;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.LoopVolume;
import io.tidemark.system.ground.PostgresBinaries;
import io.tidemark.system.ground.PostgresServer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A Btrfs on a loop device; on it an image, a volume of the image provider; in it an ext4; on that a PostgreSQL. */
public final class DatabaseOnImage implements AutoCloseable {
    public static final VolumeId VOLUME = VolumeId.of("image", "orders");

    private final ImageGround ground;
    private final PostgresServer server;

    /**
     * With Debian's PostgreSQL.
     *
     * @param settings of the server: {@code fsync=off}
     */
    public DatabaseOnImage(long imageBytes, String... settings) throws IOException, ProviderException {
        this(imageBytes, ground -> PostgresBinaries.installed(), settings);
    }

    /** @param binaries of the PostgreSQL to run; they may lie in the ground's folder */
    DatabaseOnImage(long imageBytes, BinariesSource binaries, String... settings)
            throws IOException, ProviderException {
        ground = new ImageGround(VOLUME, imageBytes);
        try {
            var data = ground.volume().mountPoint().resolve("data");
            var chosen = binaries.on(ground.ground());
            PostgresServer.init(chosen, data);
            server = ground.keep(PostgresServer.start(chosen, data, settings));
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Says which PostgreSQL to run. */
    interface BinariesSource {
        PostgresBinaries on(Ground ground) throws IOException;
    }

    public TakerOfImages open() throws IOException, ProviderException {
        return ground.open(Moments.NONE);
    }

    public Path folder() {
        return ground.folder();
    }

    public Path images() {
        return ground.images();
    }

    Path state() {
        return ground.state();
    }

    public LoopVolume volume() {
        return ground.volume();
    }

    public PostgresServer server() {
        return server;
    }

    public ConsistencyGroup group(Duration freezeLimit, Consistency required) {
        return groupOf(server, freezeLimit, required);
    }

    ConsistencyGroup groupOf(PostgresServer database, Duration freezeLimit, Consistency required) {
        return groupOf(database, "postgres", freezeLimit, required);
    }

    ConsistencyGroup groupOf(PostgresServer database, String user, Duration freezeLimit, Consistency required) {
        return group(Map.of("port", Integer.toString(database.port()), "user", user), freezeLimit, required);
    }

    ConsistencyGroup groupBySocket(Duration freezeLimit, Consistency required) {
        return group(
                Map.of(
                        "port",
                        Integer.toString(server.port()),
                        "user",
                        "postgres",
                        "socketFolder",
                        server.data().toString()),
                freezeLimit,
                required);
    }

    private static ConsistencyGroup group(Map<String, String> settings, Duration freezeLimit, Consistency required) {
        return new ConsistencyGroup(
                new GroupId("orders"),
                List.of(VOLUME),
                List.of(new QuiescerSpec("postgresql", settings)),
                true,
                freezeLimit,
                required);
    }

    @Override
    public void close() throws IOException {
        ground.close();
    }
}

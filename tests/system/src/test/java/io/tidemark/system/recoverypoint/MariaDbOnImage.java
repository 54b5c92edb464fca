package io.tidemark.system.recoverypoint;

import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.Moments;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.LoopVolume;
import io.tidemark.system.ground.MariaDbServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A Btrfs on a loop device; on it an image, a volume of the image provider; in it an ext4; on that a MariaDB. */
final class MariaDbOnImage implements AutoCloseable {
    static final VolumeId VOLUME = VolumeId.of("image", "shop");
    static final String USER = "tidemark";

    private static final String PASSWORD = "not-a-secret";
    private static final long IMAGE_BYTES = 1L << 30;

    private final ImageGround ground;
    private final Path passwordFile;
    private MariaDbServer server;

    MariaDbOnImage() throws IOException, ProviderException, SQLException {
        ground = new ImageGround(VOLUME, IMAGE_BYTES);
        try {
            passwordFile = Files.writeString(folder().resolve("password"), PASSWORD + "\n");
            var data = volume().mountPoint().resolve("data");
            MariaDbServer.init(data);
            server = MariaDbServer.start(data);
            ground.keep((AutoCloseable) () -> server.close());
            grantedUser(USER, "RELOAD", "BINLOG MONITOR", "PROCESS", "SHOW VIEW");
        } catch (IOException | SQLException | RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Makes a user with the ground's password and these rights alone. */
    void grantedUser(String user, String... rights) throws SQLException {
        server.execute("CREATE USER %s@localhost IDENTIFIED BY '%s'".formatted(user, PASSWORD));
        grant(user, rights);
    }

    void grant(String user, String... rights) throws SQLException {
        for (var right : rights) {
            server.execute("GRANT %s ON *.* TO %s@localhost".formatted(right, user));
        }
    }

    TakerOfImages open(Moments moments) throws IOException, ProviderException {
        return ground.open(moments);
    }

    Path folder() {
        return ground.folder();
    }

    TakerProcess.Place place() {
        return new TakerProcess.Place(ground.images(), ground.state(), VOLUME);
    }

    LoopVolume volume() {
        return ground.volume();
    }

    MariaDbServer server() {
        return server;
    }

    /** Starts it again on the same data, after it was stopped or killed. */
    void restart() throws IOException {
        server = MariaDbServer.start(server.data());
    }

    /** @param more settings beyond those that reach the server; an empty one takes the usual one away */
    QuiescerSpec quiescer(Map<String, String> more) {
        var settings = new HashMap<>(Map.of(
                "port",
                Integer.toString(server.port()),
                "user",
                USER,
                "passwordFile",
                passwordFile.toString(),
                "statementTimeoutMillis",
                "1000"));
        settings.putAll(more);
        settings.values().removeIf(String::isEmpty);
        return new QuiescerSpec("mariadb", settings);
    }

    ConsistencyGroup group(Duration freezeLimit, Consistency required, Map<String, String> more) {
        return new ConsistencyGroup(
                new GroupId("shop"), List.of(VOLUME), List.of(quiescer(more)), true, freezeLimit, required);
    }

    @Override
    public void close() throws IOException {
        ground.close();
    }
}

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
import io.tidemark.system.ground.MariaDbServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A Btrfs on a loop device; on it an image, a volume of the image provider; in it an ext4; on that a MariaDB. */
final class MariaDbOnImage implements AutoCloseable {
    static final VolumeId VOLUME = VolumeId.of("image", "shop");
    static final String USER = "tidemark";

    private static final String PASSWORD = "not-a-secret";
    private static final long IMAGE_BYTES = 1L << 30;
    private static final long BTRFS_BYTES = 12L << 30;

    private final Deque<AutoCloseable> made = new ArrayDeque<>();
    private final Path folder;
    private final Path images;
    private final Path state;
    private final LoopVolume volume;
    private final Path passwordFile;
    private MariaDbServer server;

    MariaDbOnImage() throws IOException, ProviderException, SQLException {
        try {
            folder = keep(Ground.open()).folder();
            state = Files.createDirectory(folder.resolve("state"));
            passwordFile = Files.writeString(folder.resolve("password"), PASSWORD + "\n");
            images = keep(LoopVolume.makeBtrfs(folder.resolve("btrfs.img"), BTRFS_BYTES, folder.resolve("images")))
                    .mountPoint();
            Path device;
            try (var taker = open(Moments.NONE)) {
                device = taker.provider().create(VOLUME, IMAGE_BYTES).device().orElseThrow();
            }
            volume = keep(LoopVolume.makeExt4(device, folder.resolve("database")));
            var data = volume.mountPoint().resolve("data");
            MariaDbServer.init(data);
            server = MariaDbServer.start(data);
            made.push(() -> server.close());
            grantedUser(USER, "RELOAD", "BINLOG MONITOR", "PROCESS", "SHOW VIEW");
        } catch (IOException | ProviderException | SQLException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private <T extends AutoCloseable> T keep(T resource) {
        made.push(resource);
        return resource;
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
        return TakerOfImages.open(images, state, moments);
    }

    Path folder() {
        return folder;
    }

    TakerProcess.Place place() {
        return new TakerProcess.Place(images, state, VOLUME);
    }

    LoopVolume volume() {
        return volume;
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

    /** Undoes everything, newest first; goes on after a failure and reports the first. */
    @Override
    public void close() throws IOException {
        Exception first = null;
        while (!made.isEmpty()) {
            try {
                made.pop().close();
            } catch (Exception e) {
                first = first == null ? e : first;
            }
        }
        if (first != null) {
            throw new IOException("not everything was undone: " + first.getMessage(), first);
        }
    }
}

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
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;

/** A Btrfs on a loop device; on it an image, a volume of the image provider; in it an ext4; on that a PostgreSQL. */
public final class DatabaseOnImage implements AutoCloseable {
    public static final VolumeId VOLUME = VolumeId.of("image", "orders");

    private static final long BTRFS_BYTES = 12L << 30;

    private final Deque<AutoCloseable> made = new ArrayDeque<>();
    private final Path folder;
    private final Path images;
    private final Path state;
    private final LoopVolume volume;
    private final PostgresServer server;

    /** With Debian's PostgreSQL. */
    public DatabaseOnImage(long imageBytes) throws IOException, ProviderException {
        this(imageBytes, ground -> PostgresBinaries.installed());
    }

    /** @param binaries of the PostgreSQL to run; they may lie in the ground's folder */
    DatabaseOnImage(long imageBytes, BinariesSource binaries) throws IOException, ProviderException {
        try {
            var ground = keep(Ground.open());
            folder = ground.folder();
            state = Files.createDirectory(folder.resolve("state"));
            images = keep(LoopVolume.makeBtrfs(folder.resolve("btrfs.img"), BTRFS_BYTES, folder.resolve("images")))
                    .mountPoint();
            Path device;
            try (var taker = open()) {
                device = taker.provider().create(VOLUME, imageBytes).device().orElseThrow();
            }
            volume = keep(LoopVolume.makeExt4(device, folder.resolve("database")));
            var data = volume.mountPoint().resolve("data");
            var chosen = binaries.on(ground);
            PostgresServer.init(chosen, data);
            server = keep(PostgresServer.start(chosen, data));
        } catch (IOException | ProviderException | RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Says which PostgreSQL to run. */
    interface BinariesSource {
        PostgresBinaries on(Ground ground) throws IOException;
    }

    private <T extends AutoCloseable> T keep(T resource) {
        made.push(resource);
        return resource;
    }

    public TakerOfImages open() throws IOException, ProviderException {
        return TakerOfImages.open(images, state, Moments.NONE);
    }

    Path folder() {
        return folder;
    }

    Path images() {
        return images;
    }

    Path state() {
        return state;
    }

    public LoopVolume volume() {
        return volume;
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

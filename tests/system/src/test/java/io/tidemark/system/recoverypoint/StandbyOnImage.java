package io.tidemark.system.recoverypoint;

import static org.awaitility.Awaitility.await;

import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.Moments;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.PostgresServer;
import io.tidemark.system.ground.Programs;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A PostgreSQL on the host's disk, and its streaming standby on an ext4 in an image, a volume of the image provider. */
final class StandbyOnImage implements AutoCloseable {
    static final VolumeId VOLUME = VolumeId.of("image", "standby");
    static final String USER = "tidemark";

    static final String[] RIGHTS = {
        "pg_backup_start(text, boolean)", "pg_backup_stop(boolean)", "pg_wal_replay_pause()", "pg_wal_replay_resume()"
    };
    static final String[] RIGHTS_OF_14 = {
        "pg_start_backup(text, boolean, boolean)",
        "pg_stop_backup(boolean, boolean)",
        "pg_wal_replay_pause()",
        "pg_wal_replay_resume()"
    };

    private static final Duration REPLAY_LIMIT = Duration.ofSeconds(60);
    private static final long IMAGE_BYTES = 1L << 30;

    private final ImageGround ground;
    private final PostgresServer primary;
    private final PostgresServer standby;

    StandbyOnImage(DatabaseOnImage.BinariesSource source) throws IOException, ProviderException, SQLException {
        ground = new ImageGround(VOLUME, IMAGE_BYTES);
        try {
            var binaries = source.on(ground.ground());
            var data = ground.folder().resolve("primary");
            var copy = ground.volume().mountPoint().resolve("data");
            PostgresServer.init(binaries, data);
            Programs.run("cp", "-a", data.toString(), copy.toString());
            primary = ground.keep(PostgresServer.start(binaries, data));
            standby = ground.keep(primary.startStandby(copy));
            primary.execute("CREATE ROLE %s LOGIN".formatted(USER));
        } catch (IOException | SQLException | RuntimeException e) {
            close();
            throw e;
        }
    }

    /** On the primary, and awaited on the standby. */
    void grant(String... functions) throws SQLException {
        for (var function : functions) {
            primary.execute("GRANT EXECUTE ON FUNCTION %s TO %s".formatted(function, USER));
        }
        awaitReplay();
    }

    /** Until the standby has what the primary has. */
    void awaitReplay() throws SQLException {
        long written = primary.number("SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint");
        await().atMost(REPLAY_LIMIT)
                .until(() ->
                        standby.number("SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint") >= written);
    }

    /** How many sessions would let its replay go on. */
    long keepers() throws SQLException {
        return standby.number("SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
                + " AND application_name = 'tidemark replay keeper'");
    }

    TakerOfImages open(Moments moments) throws IOException, ProviderException {
        return ground.open(moments);
    }

    TakerProcess.Place place() {
        return new TakerProcess.Place(ground.images(), ground.state(), VOLUME);
    }

    Path folder() {
        return ground.folder();
    }

    PostgresServer primary() {
        return primary;
    }

    PostgresServer standby() {
        return standby;
    }

    QuiescerSpec quiescer(Map<String, String> more) {
        var settings = new HashMap<>(Map.of("port", Integer.toString(standby.port()), "user", USER));
        settings.putAll(more);
        return new QuiescerSpec("postgresql", settings);
    }

    ConsistencyGroup group(Duration freezeLimit, Map<String, String> more) {
        return new ConsistencyGroup(
                new GroupId("standby"),
                List.of(VOLUME),
                List.of(quiescer(more)),
                true,
                freezeLimit,
                Consistency.APPLICATION);
    }

    @Override
    public void close() throws IOException {
        ground.close();
    }
}

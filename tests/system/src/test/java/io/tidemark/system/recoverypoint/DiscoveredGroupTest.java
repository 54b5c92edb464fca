package io.tidemark.system.recoverypoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.tidemark.discovery.Discovery;
import io.tidemark.discovery.Discovery.Server;
import io.tidemark.discovery.GroupProposal;
import io.tidemark.discovery.KnownVolume;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.Moments;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.spi.Capability;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.LoopVolume;
import io.tidemark.system.ground.MariaDbServer;
import io.tidemark.system.ground.PostgresServer;
import io.tidemark.system.ground.Programs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A real PostgreSQL and a real MariaDB over two volumes are found with all their files, and the group that is proposed works. */
@Tag("system-image")
class DiscoveredGroupTest {
    private static final VolumeId DATA = VolumeId.of("image", "data");
    private static final VolumeId MORE = VolumeId.of("image", "more");
    private static final long IMAGE_BYTES = 1L << 30;
    private static final Duration LIMIT = Duration.ofSeconds(10);

    private static List<KnownVolume> known(TakerOfImages taker) throws Exception {
        return taker.provider().volumes().stream()
                .map(volume -> new KnownVolume(
                        volume.id().toString(), volume.device(), volume.mountPoints(), volume.can(Capability.FILES)))
                .toList();
    }

    private static List<Server> find(TakerOfImages taker, Path below) throws Exception {
        return new Discovery(Path.of("/proc"), Path.of("/sys"), Optional.of(known(taker)))
                .find(pid -> true).stream()
                        // Other servers may run on this host.
                        .filter(server -> server.places().stream()
                                .anyMatch(place -> place.path().startsWith(below)))
                        .toList();
    }

    private static ConsistencyGroup group(GroupProposal proposal) {
        return new ConsistencyGroup(
                new GroupId(proposal.group()),
                proposal.volumes().stream().map(VolumeId::new).toList(),
                proposal.members().stream()
                        .map(server -> new QuiescerSpec(server.kind(), server.settings()))
                        .toList(),
                true,
                LIMIT,
                Consistency.APPLICATION);
    }

    @Test
    void proposedGroupHoldsBothServersWithAllTheirFilesAndIsTakenAsApplication() throws Exception {
        Ground.requireRootAnd("losetup", "mkfs.ext4", "mkfs.btrfs", "setpriv", "fsfreeze");
        PostgresServer.require();
        MariaDbServer.require();
        try (var ground = new ImageGround(DATA, IMAGE_BYTES);
                var taker = ground.open(Moments.NONE)) {
            Path device = taker.provider().create(MORE, IMAGE_BYTES).device().orElseThrow();
            ground.keep(LoopVolume.makeExt4(device, ground.folder().resolve("more")));
            var postgresql = ground.keep(postgresql(ground));
            var mariadb = ground.keep(mariadb(ground));

            var servers = find(taker, ground.folder());
            var proposal = new GroupProposal("databases", servers, true, "");
            System.out.println(proposal.yaml());

            assertThat(servers.stream().map(Server::kind)).containsExactlyInAnyOrder("postgresql", "mariadb");
            assertThat(proposal.volumes()).containsExactlyInAnyOrder(DATA.toString(), MORE.toString());
            assertThat(proposal.members()).hasSize(2);
            var point = taker.taker()
                    .take(
                            taker.taker().plan(new RecoveryPointId("rp-discovered"), group(proposal)),
                            ProgressListener.NONE);
            assertThat(point.consistency()).isEqualTo(Consistency.APPLICATION);
            assertThat(point.certificate().freezes()).hasSize(4);

            tablespaceOutside(ground, postgresql);
            var left = new GroupProposal("databases", find(taker, ground.folder()), true, "");
            assertThat(left.yaml())
                    .contains("left out of the group: tablespace ")
                    .contains("no volume of the site");
            assertThat(left.members().stream().map(Server::kind)).containsExactly("mariadb");
            assertThat(catchThrowable(() -> taker.taker().plan(new RecoveryPointId("rp-outside"), group(proposal))))
                    .hasMessageContaining("tablespace " + ground.folder().resolve("outside"))
                    .hasMessageContaining("tidemark discover");
            assertThat(mariadb.socket()).exists();
        }
    }

    /** Data on one volume; write-ahead log and a tablespace on the other. */
    private static PostgresServer postgresql(ImageGround ground) throws Exception {
        var data = ground.volume().mountPoint().resolve("pg");
        PostgresServer.init(data);
        var wal = ground.folder().resolve("more/pg_wal");
        Programs.run("mv", data.resolve("pg_wal").toString(), wal.toString());
        Files.createSymbolicLink(data.resolve("pg_wal"), wal);
        var server = PostgresServer.start(data);
        var tablespace = Files.createDirectory(ground.folder().resolve("more/tablespace"));
        Programs.run("chown", "postgres", tablespace.toString());
        server.execute("CREATE TABLESPACE more LOCATION '%s'".formatted(tablespace));
        server.execute("CREATE ROLE tidemark LOGIN");
        server.execute("GRANT EXECUTE ON FUNCTION pg_backup_start(text, boolean), pg_backup_stop(boolean) TO tidemark");
        server.execute("GRANT pg_read_all_settings TO tidemark");
        return server;
    }

    /** Data on one volume; InnoDB's log on the other, which only its open files tell. */
    private static MariaDbServer mariadb(ImageGround ground) throws Exception {
        var data = ground.volume().mountPoint().resolve("mysql");
        var log = Files.createDirectory(ground.folder().resolve("more/innodb"));
        Programs.run("chown", "mysql", log.toString());
        MariaDbServer.init(data);
        Files.move(data.resolve("ib_logfile0"), log.resolve("ib_logfile0"));
        var server = MariaDbServer.start(data, "--innodb-log-group-home-dir=" + log);
        server.execute("CREATE USER tidemark@localhost");
        server.execute("GRANT RELOAD ON *.* TO tidemark@localhost");
        return server;
    }

    private static void tablespaceOutside(ImageGround ground, PostgresServer server) throws Exception {
        var outside = Files.createDirectory(ground.folder().resolve("outside"));
        Programs.run("chown", "postgres", outside.toString());
        server.execute("CREATE TABLESPACE outside LOCATION '%s'".formatted(outside));
    }
}

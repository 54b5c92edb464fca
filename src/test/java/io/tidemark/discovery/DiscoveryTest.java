package io.tidemark.discovery;

import static io.tidemark.discovery.FakeProc.mount;
import static io.tidemark.discovery.FakeProc.onDevice;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.discovery.Discovery.Place;
import io.tidemark.discovery.Discovery.Server;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiscoveryTest {
    private static final String MOUNTS = mount("8:1", "/", "ext4", "/dev/sda1")
            + mount("7:1", "/db", "ext4", "/dev/loop1")
            + mount("253:2", "/wal", "xfs", "/dev/mapper/vg-wal");
    private static final List<KnownVolume> VOLUMES =
            List.of(onDevice("image:orders", "/images/orders.img"), onDevice("lvm:vg/wal", "/dev/mapper/vg-wal"));

    @TempDir
    private Path folder;

    private FakeProc host;

    @BeforeEach
    void makeHost() throws IOException {
        host = new FakeProc(folder);
        host.loop(1, "/images/orders.img");
        host.logicalVolume(2, "vg-wal");
    }

    private List<Server> find(Optional<List<KnownVolume>> volumes) throws IOException {
        return new Discovery(host.proc(), host.sys(), volumes).find(pid -> true);
    }

    private void postgresql() throws IOException {
        host.process(100, 1, "postgres", "host", "/db/data", MOUNTS);
        host.write("host/db/data/postmaster.pid", "100\n/db/data\n1700000000\n5433\n/run/postgresql\nlocalhost\n");
        host.link("host/db/data/pg_wal", "/wal/pg");
        host.write("host/wal/pg/0001", "");
    }

    private static Place place(Server server, String path) {
        return server.places().stream()
                .filter(place -> place.path().equals(Path.of(path)))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void serversFilesAreFollowedOverMountsAndDevicesToVolumes() throws IOException {
        postgresql();
        host.process(101, 100, "postgres", "host", "/db/data", MOUNTS);

        var servers = find(Optional.of(VOLUMES));

        assertThat(servers).hasSize(1);
        var server = servers.getFirst();
        assertThat(server.lacks()).isEmpty();
        assertThat(server.settings()).isEqualTo(Map.of("port", "5433", "socketFolder", "/run/postgresql"));
        var data = place(server, "/db/data");
        assertThat(data.volume()).contains("image:orders");
        assertThat(data.chain()).containsExactly(Path.of("/dev/loop1"), Path.of("/images/orders.img"));
        var wal = place(server, "/db/data/pg_wal");
        assertThat(wal.what()).isEqualTo("write-ahead log");
        assertThat(wal.volume()).contains("lvm:vg/wal");
        assertThat(wal.chain())
                .containsExactly(Path.of("/dev/mapper/vg-wal"), Path.of("/dev/dm-2"), Path.of("/dev/sda"));
    }

    @Test
    void placeThatNoVolumeHasIsNamedAndItsServerLeftOut() throws IOException {
        postgresql();
        host.write("host/db/data/pg_tblspc/x", "");
        host.link("host/db/data/pg_tblspc/16385", "/srv/tablespace");

        var server = find(Optional.of(VOLUMES)).getFirst();

        assertThat(server.lacks())
                .containsExactly("tablespace /db/data/pg_tblspc/16385 lies on ext4 at /, which is /dev/sda1,"
                        + " and no volume of the site");
    }

    @Test
    void programThatMySqlAndMariaDbShareIsToldByTheFilesOfItsData() throws IOException {
        host.process(210, 1, "mysqld", "host", "/db/mysql", MOUNTS);
        host.open(210, "/db/mysql/ibdata1", FakeProc.WRITES);

        assertThat(find(Optional.of(VOLUMES)).getFirst().kind()).isEqualTo("mysql");

        host.write("host/db/mysql/aria_log_control", "");

        assertThat(find(Optional.of(VOLUMES)).getFirst().kind()).isEqualTo("mariadb");
    }

    @Test
    void filesThatAreWrittenElsewhereCountAndLogsAreTold() throws IOException {
        host.process(200, 1, "mariadbd", "host", "/db/mysql", MOUNTS);
        host.open(200, "/db/mysql/ibdata1", FakeProc.WRITES);
        host.open(200, "/wal/innodb/ib_logfile0", FakeProc.WRITES);
        host.open(200, "/usr/share/mysql/errmsg.sys", FakeProc.READS);
        host.open(200, "/srv/gone (deleted)", FakeProc.WRITES);
        host.open(200, "/var/log/mysql/slow.log", FakeProc.WRITES);
        host.open(200, "/srv/#sql-temptable-1.MAD", FakeProc.WRITES);
        host.open(200, "socket:[77]", FakeProc.WRITES);
        host.write("proc/200/net/unix", """
                Num       RefCount Protocol Flags    Type St Inode Path
                0000: 00000002 00000000 00000000 0001 03 77 /tmp/not-listening.sock
                0000: 00000002 00000000 00010000 0001 01 78 /tmp/of-another.sock
                0000: 00000002 00000000 00010000 0001 01 77 /run/mysqld/mysqld.sock
                """);

        var server = find(Optional.of(VOLUMES)).getFirst();

        assertThat(server.settings()).isEqualTo(Map.of("socketFile", "/run/mysqld/mysqld.sock"));
        assertThat(server.places().stream()
                        .map(place -> place.path() + " " + place.volume().orElse("none")))
                .containsExactly("/db/mysql image:orders", "/wal/innodb lvm:vg/wal");
        assertThat(server.notes())
                .containsExactlyInAnyOrder(
                        "it also writes /var/log/mysql/slow.log, which a recovery does not need",
                        "it also writes /srv/#sql-temptable-1.MAD, which a recovery does not need");
    }

    @Test
    void containersFilesAreFollowedInsideItsRootAndKnownByTheDeviceOfItsOwnMounts() throws IOException {
        host.process(
                300,
                1,
                "redis-server",
                "container",
                "/data",
                mount("0:50", "/", "overlay", "overlay") + mount("7:1", "/data", "ext4", "/dev/loop1"));
        host.link("container/data/appendonlydir", "/data/elsewhere");
        host.link("container/data/escape", "/etc/passwd");
        host.open(300, "socket:[9]", FakeProc.WRITES);
        host.write("proc/300/net/tcp", """
                  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
                   0: 00000000:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 9 1
                """);

        var server = find(Optional.of(VOLUMES)).getFirst();

        assertThat(server.settings()).isEqualTo(Map.of("port", "6379"));
        assertThat(place(server, "/data").volume()).contains("image:orders");
        assertThat(place(server, "/data/appendonlydir").volume()).contains("image:orders");
        assertThat(place(server, "/data/escape").mountPoint()).isEqualTo(Path.of("/"));
        assertThat(server.lacks()).hasSize(1).first().asString().contains("/data/escape lies on overlay at /");
        assertThat(server.notes()).anyMatch(note -> note.contains("sees other mounts"));
    }

    @Test
    void volumeThatIsFilesIsKnownByTheDeviceOfItsRoot() throws IOException {
        postgresql();
        var same = new KnownVolume("btrfs:db", Optional.empty(), List.of(folder), true);

        var server = find(Optional.of(List.of(same))).getFirst();

        assertThat(place(server, "/db/data").volume()).contains("btrfs:db");
    }

    @Test
    void volumeIsKnownByItsMountAndOneThatIsNotMountedHereHasNothing() throws IOException {
        postgresql();
        host.write(
                "proc/self/mountinfo",
                mount("253:2", "/", "xfs", "/dev/x") + mount("7:1", "/db", "ext4", "/dev/loop1"));
        var mounted = new KnownVolume("image:here", Optional.empty(), List.of(Path.of("/db")), false);
        var absent = new KnownVolume("image:absent", Optional.empty(), List.of(Path.of("/of/another/host")), false);

        var server = find(Optional.of(List.of(absent, mounted))).getFirst();

        assertThat(place(server, "/db/data").volume()).contains("image:here");
        assertThat(place(server, "/db/data/pg_wal").volume()).isEmpty();
    }

    @Test
    void linksInACircleAreToldAndNothingIsGuessed() throws IOException {
        postgresql();
        host.link("host/circle", "/circle");
        host.write("host/db/data/pg_tblspc/x", "");
        host.link("host/db/data/pg_tblspc/1", "/circle");

        var server = find(Optional.of(VOLUMES)).getFirst();

        assertThat(server.lacks()).singleElement().asString().contains("more than 40 symbolic links");
    }

    @Test
    void serverWhoseFilesCannotBeSeenIsLeftOutWithTheWayOut() throws IOException {
        host.process(100, 1, "postgres", "host", "/db/data", MOUNTS);
        java.nio.file.Files.delete(folder.resolve("proc/100/cwd"));

        assertThat(find(Optional.of(VOLUMES)).getFirst().lacks())
                .containsExactly("its files cannot be seen from here: run this as root");
    }

    @Test
    void withoutASiteDevicesStandInThePlaceOfVolumes() throws IOException {
        postgresql();

        var proposal = new GroupProposal("databases", find(Optional.empty()), false, "no answer");

        assertThat(proposal.volumes()).containsExactly("/dev/loop1", "/dev/mapper/vg-wal");
        assertThat(proposal.yaml())
                .contains("# The site did not tell its volumes (no answer)")
                .contains("  - \"/dev/mapper/vg-wal\"\n");
    }

    @Test
    void noNameOfAFileBreaksOutOfItsCommentOrItsQuotes() throws IOException {
        host.process(100, 1, "postgres", "host", "/db/a\nid: \"x", MOUNTS);

        var yaml = new GroupProposal("databases", find(Optional.of(VOLUMES)), true, "").yaml();

        assertThat(yaml.lines().filter(line -> line.startsWith("id:"))).containsExactly("id: \"databases\"");
        assertThat(yaml).contains("/db/a?id: \"x");
    }
}

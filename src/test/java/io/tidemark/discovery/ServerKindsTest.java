package io.tidemark.discovery;

import static io.tidemark.discovery.FakeProc.READS;
import static io.tidemark.discovery.FakeProc.WRITES;
import static io.tidemark.discovery.FakeProc.mount;
import static io.tidemark.discovery.FakeProc.onDevice;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.discovery.Discovery.Server;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Servers whose working directory says nothing: their open files do. */
class ServerKindsTest {
    private static final String MOUNTS = mount("8:1", "/", "ext4", "/dev/sda1")
            + mount("7:1", "/db", "ext4", "/dev/loop1")
            + mount("253:2", "/log", "xfs", "/dev/mapper/vg-log");
    private static final List<KnownVolume> VOLUMES =
            List.of(onDevice("image:db", "/images/db.img"), onDevice("lvm:vg/log", "/dev/mapper/vg-log"));

    @TempDir
    private Path folder;

    private FakeProc host;

    @BeforeEach
    void makeHost() throws IOException {
        host = new FakeProc(folder);
        host.loop(1, "/images/db.img");
        host.logicalVolume(2, "vg-log");
    }

    private List<Server> find() throws IOException {
        return new Discovery(host.proc(), host.sys(), Optional.of(VOLUMES)).find(pid -> true);
    }

    private Server only() throws IOException {
        var servers = find();
        assertThat(servers).hasSize(1);
        return servers.getFirst();
    }

    private static List<String> places(Server server) {
        return server.places().stream()
                .map(place -> "%s %s: %s"
                        .formatted(place.what(), place.path(), place.volume().orElse("none")))
                .toList();
    }

    private String yaml(Server... servers) {
        return new GroupProposal("databases", List.of(servers), true, "").yaml();
    }

    @Nested
    class MongoDb {

        private void mongod() throws IOException {
            host.process(100, 1, "mongod", "host", "/", MOUNTS);
            host.open(100, "/db/mongo/mongod.lock", WRITES);
            host.open(100, "/db/mongo/collection-0.wt", WRITES);
            host.open(100, "/var/log/mongodb/mongod.log", WRITES);
            host.open(100, "/etc/keyfile", READS);
            host.listen(100, 70, "00000000:6989");
        }

        @Test
        void dataIsWhereItsLockFileIsOpenAndNotItsWorkingFolder() throws IOException {
            mongod();

            var server = only();

            assertThat(server.kind()).isEqualTo("mongodb");
            assertThat(places(server)).containsExactly("dbPath /db/mongo: image:db");
            assertThat(server.lacks()).isEmpty();
            assertThat(server.settings()).isEqualTo(Map.of("port", "27017"));
            assertThat(server.notes())
                    .containsExactly("it also writes /var/log/mongodb/mongod.log, which a recovery does not need");
            assertThat(yaml(server))
                    .contains("      port: \"27017\"\n#       user: (with passwordFile,")
                    .contains("#       passwordFile: /etc/tidemark/mongodb.password\n");
        }

        @Test
        void journalBehindALinkAndADatabaseThatIsMountedBelowAreFound() throws IOException {
            mongod();
            host.link("host/db/mongo/journal", "/log/journal");
            host.link("host/db/mongo/diagnostic.data", "/srv/metrics");
            host.open(100, "/log/journal/WiredTigerLog.0000000001", WRITES);
            host.open(100, "/srv/metrics/metrics.interim", WRITES);
            host.write("proc/100/mountinfo", MOUNTS + mount("8:9", "/db/mongo/orders", "ext4", "/dev/sdb9"));
            host.open(100, "/db/mongo/orders/collection-1.wt", WRITES);

            var server = only();

            assertThat(places(server))
                    .containsExactlyInAnyOrder(
                            "dbPath /db/mongo: image:db",
                            "journal or database /db/mongo/journal: lvm:vg/log",
                            "open file collection-1.wt /db/mongo/orders: none");
            assertThat(server.lacks()).singleElement().asString().contains("/db/mongo/orders", "/dev/sdb9");
        }

        @Test
        void optionsAreHintsThatDoNotChangeWhatItsFilesTell() throws IOException {
            mongod();
            host.arguments(100, "mongod", "--config", "/etc/mongod.conf", "--fork");
            host.write("host/etc/mongod.conf", "storage:\n  dbPath: \"/var/lib/mongodb\"  # as packaged\n");

            var server = only();

            assertThat(places(server)).containsExactly("dbPath /db/mongo: image:db");
            assertThat(server.notes())
                    .contains("its options name dbPath /var/lib/mongodb, its files are open in /db/mongo");

            host.link("host/var/lib/mongodb", "/db/mongo");
            assertThat(only().notes()).noneMatch(note -> note.contains("its options name"));
        }

        @Test
        void serverWhoseFilesCannotBeSeenIsToldWithWhatItsOptionsName() throws IOException {
            host.process(100, 1, "mongod", "host", "/", MOUNTS);
            host.arguments(100, "mongod", "--dbpath=/db/mongo");

            var server = only();

            assertThat(server.places()).isEmpty();
            assertThat(server.lacks())
                    .containsExactly("its files cannot be seen from here: run this as root"
                            + " (its options name dbPath /db/mongo)");
        }

        @Test
        void scriptOfThatNameIsNoServerNorIsARouterNorALauncherOneMore() throws IOException {
            mongod();
            host.process(90, 1, "mongod", "host", "/", MOUNTS);
            host.file(90, "/usr/bin/bash");
            host.process(91, 1, "mongos", "host", "/", MOUNTS);
            host.open(91, "/db/router/mongod.lock", WRITES);
            host.process(92, 1, "mongod", "host", "/", MOUNTS);
            host.process(93, 92, "mongod", "host", "/", MOUNTS);
            host.open(93, "/log/second/mongod.lock", WRITES);

            assertThat(find()).extracting(Server::pid).containsExactly(93, 100);
        }
    }

    @Nested
    class SqlServer {

        private void sqlservr() throws IOException {
            host.process(400, 1, "sqlservr", "host", "/", MOUNTS);
            host.process(401, 400, "sqlservr", "host", "/", MOUNTS);
            host.open(401, "/var/opt/mssql/data/master.mdf", WRITES);
            host.open(401, "/var/opt/mssql/data/mastlog.ldf", WRITES);
            host.open(401, "/var/opt/mssql/data/tempdb_mssql_2.ndf", WRITES);
            host.open(401, "/var/opt/mssql/log/errorlog", WRITES);
            host.open(401, "/var/opt/mssql/log/HkEngineEventFile_0.xel", WRITES);
            host.open(401, "/var/opt/mssql/log/sqlagentstartup.log", WRITES);
            host.open(401, "/var/opt/mssql/.system/instance_id", WRITES);
        }

        @Test
        void filesOfTheChildAreThoseOfTheServerAndLogsOfDatabasesAreNoLogs() throws IOException {
            sqlservr();
            host.open(401, "/db/sql/orders.mdf", WRITES);
            host.open(401, "/db/sql/orders2.ndf", WRITES);
            host.open(401, "/log/sql/orders_log.LDF", WRITES);
            host.listen(401, 71, "0100007F:059A", "00000000:0599", "0100007F:0597");

            var server = only();

            assertThat(server.kind()).isEqualTo("sqlserver");
            assertThat(server.pid()).isEqualTo(400);
            assertThat(places(server))
                    .containsExactly(
                            "data file orders.mdf /db/sql: image:db", "log file orders_log.LDF /log/sql: lvm:vg/log");
            assertThat(server.lacks()).isEmpty();
            assertThat(server.settings()).isEqualTo(Map.of("port", "1433"));
            assertThat(server.notes())
                    .contains("the server's own databases in /var/opt/mssql/data cannot be suspended, and are left out")
                    .contains("it also writes /var/opt/mssql/log/errorlog, which a recovery does not need");
            assertThat(yaml(server)).contains("#       databases: (several with a semicolon; without it all of users)");
        }

        @Test
        void portThatIsOfferedToOthersIsTheServersAndOfSeveralNoneIsChosen() throws IOException {
            sqlservr();
            host.open(401, "/db/sql/orders.mdf", WRITES);
            assertThat(only().toComplete()).containsEntry("port", "it was not seen to listen");

            host.listen(401, 71, "0100007F:059A", "00000000:3A98");

            assertThat(only().settings()).isEqualTo(Map.of("port", "15000"));

            host.listen(401, 71, "00000000:3A98", "00000000:3A99");
            var server = only();
            assertThat(server.settings()).isEmpty();
            assertThat(server.toComplete()).containsEntry("port", "one of [15000, 15001]");
            assertThat(yaml(server)).contains("    settings: {}\n#       port: (one of [15000, 15001])\n");
        }

        @Test
        void serverWithoutADatabaseOfUsersHasNothingToSuspend() throws IOException {
            sqlservr();

            assertThat(only().lacks()).containsExactly("it has no file of a user's database open");
        }

        @Test
        void otherProgramThatCallsItselfSoIsNone() throws IOException {
            host.process(400, 1, "sqlservr", "host", "/", MOUNTS);
            host.file(400, "/usr/bin/python3.11");
            host.open(400, "/db/sql/orders.mdf", WRITES);

            assertThat(find()).isEmpty();
        }
    }

    @Nested
    class Oracle {
        private int nextPid = 500;

        private int background(String role, String sid, String root) throws IOException {
            int pid = nextPid++;
            var title = "ora_%s_%s".formatted(role, sid);
            host.process(pid, 1, title.substring(0, Math.min(15, title.length())), root, "/", MOUNTS);
            host.file(pid, "/u01/product/19/bin/oracle");
            host.arguments(pid, title);
            return pid;
        }

        private void instance(String sid, String root) throws IOException {
            background("pmon", sid, root);
            int writer = background("dbw0", sid, root);
            host.open(writer, "/db/oradata/%s/users01.dbf".formatted(sid), WRITES);
            host.open(writer, "/u01/product/19/dbs/hc_%s.dat".formatted(sid), WRITES);
            host.open(writer, "/dev/shm/ora_1", WRITES);
            int redo = background("lgwr", sid, root);
            host.open(redo, "/db/control/%s/control01.ctl".formatted(sid), WRITES);
            host.open(redo, "/log/redo/%s/redo01.log".formatted(sid), WRITES);
            host.open(redo, "/u01/diag/%s_lgwr_9.trc".formatted(sid), WRITES);
        }

        @Test
        void instanceIsFoundByItsNameAndRedoLogsAreNoLogs() throws IOException {
            instance("ORCLCDB_LONG", "host");
            host.process(600, 1, "tnslsnr", "host", "/", MOUNTS);
            host.listen(600, 80, "00000000:05F1");

            var server = only();

            assertThat(server.kind()).isEqualTo("oracle");
            assertThat(places(server))
                    .containsExactly(
                            "data file users01.dbf /db/oradata/ORCLCDB_LONG: image:db",
                            "control file control01.ctl /db/control/ORCLCDB_LONG: image:db",
                            "redo log redo01.log /log/redo/ORCLCDB_LONG: lvm:vg/log");
            assertThat(server.lacks()).isEmpty();
            assertThat(server.settings()).isEqualTo(Map.of("port", "1521"));
            assertThat(yaml(server))
                    .contains("#       service: (needed: that of the database of instance ORCLCDB_LONG, or of its root"
                            + " container; lsnrctl status lists them)\n");
        }

        @Test
        void instancesWhoseNamesBeginAlikeAndThoseOfContainersAreKeptApart() throws IOException {
            instance("ORCL", "host");
            instance("ORCL_2", "host");
            instance("ORCL", "container");

            var servers = find();

            assertThat(servers).hasSize(3);
            assertThat(places(servers.get(0))).allMatch(place -> place.contains("/ORCL:"));
            assertThat(servers.get(0).places()).hasSize(3);
            assertThat(places(servers.get(1))).allMatch(place -> place.contains("/ORCL_2:"));
            assertThat(servers.get(2).notes()).anyMatch(note -> note.contains("sees other mounts"));
            assertThat(servers.get(0).notes()).noneMatch(note -> note.contains("sees other mounts"));
        }

        @Test
        void processThatOnlyCallsItselfSoIsNone() throws IOException {
            int pid = background("pmon", "FAKE", "host");
            host.file(pid, "/usr/bin/perl");
            host.process(nextPid, 1, "oracle", "host", "/", MOUNTS);
            host.arguments(nextPid, "oracleORCL");

            assertThat(find()).isEmpty();
        }

        @Test
        void dataOnDevicesThemselvesIsToldAndLeftOut() throws IOException {
            instance("ORCL", "host");
            int writer = background("dbw1", "ORCL", "host");
            host.open(writer, "/dev/oracleasm/disks/DATA1", WRITES);

            assertThat(only().lacks())
                    .containsExactly("instance ORCL keeps data on /dev/oracleasm/disks/DATA1 itself, as ASM does,"
                            + " where there is no file system to follow");
        }

        @Test
        void portIsLeftToPeopleWhereNoListenerIsFoundAndTheGroupSaysWhatToComplete() throws IOException {
            instance("ORCL", "host");

            var server = only();

            assertThat(server.settings()).isEmpty();
            assertThat(server.toComplete().keySet()).containsExactly("service", "port", "user");
        }

        @Test
        void instanceWhoseFilesCannotBeSeenIsNamed() throws IOException {
            background("pmon", "ORCL", "host");
            background("dbw0", "ORCL", "host");

            assertThat(only().lacks())
                    .containsExactly("instance ORCL: its files cannot be seen from here: run this as root");
        }
    }
}

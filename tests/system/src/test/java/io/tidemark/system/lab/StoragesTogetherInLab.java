package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import io.tidemark.client.Operations;
import io.tidemark.client.SiteClient;
import io.tidemark.system.ground.PostgresServer;
import io.tidemark.system.ground.Programs;
import io.tidemark.system.ground.SequenceWriter;
import io.tidemark.system.kill.RunningSite;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Two sites with image files, thin volumes of LVM and volumes of ZFS: what one kind of storage has goes to another, and
 * one recovery point is of all of them.
 */
@InLab
class StoragesTogetherInLab {
    private static final Duration OPERATION_LIMIT = Duration.ofMinutes(3);
    private static final long VOLUME_BYTES = 64L << 20;
    private static final long DATABASE_BYTES = 256L << 20;
    /** Acknowledged before the recovery point is taken. */
    private static final int COMMITS = 100;

    private static final int BLOCK_BYTES = 4_096;
    private static final int FIRST_BLOCKS = 1_000;
    private static final int CHANGED_BLOCKS = 40;
    private static final int FILES = 20;
    private static final int FILE_BYTES = 1 << 20;
    /** Of which a thin pool has little. */
    private static final long LARGE_BYTES = 10L << 30;

    private static final int LARGE_CHANGED_BLOCKS = 1_000;
    /** Of the thin pools. */
    private static final long CHUNK_BYTES = 64 << 10;
    /** Times what the storage names. */
    private static final int READ_MAXIMUM = 3;
    /** Of the bytes that truly changed. */
    private static final double SENT_MAXIMUM = 1.02;

    private static final List<String> SITES = List.of("one", "two");
    private static final List<RunningSite> RUNNING = new ArrayList<>();

    @BeforeAll
    static void startSites() throws Exception {
        for (var name : SITES) {
            var disk = name.equals("one") ? "/dev/ubda" : "/dev/ubdb";
            Programs.run("pvcreate", "-y", disk);
            Programs.run("vgcreate", "vg-" + name, disk);
            Programs.run("lvcreate", "-y", "--type", "thin-pool", "-L", "800M", "-n", "thin", "vg-" + name);
        }
        // Of a whole disk zpool makes a partition, and waits for udev, which does not run.
        Programs.run("losetup", "/dev/loop0", "/dev/ubdc");
        Programs.run("zpool", "create", "-O", "mountpoint=none", "tank", "/dev/loop0");
        // The guest's own files lie in memory, where extents cannot be asked for.
        Programs.run("modprobe", "btrfs");
        Programs.run("mkfs.btrfs", "-q", "/dev/ubdd");
        var folder = Path.of("/mnt/sites");
        mount(Path.of("/dev/ubdd"), "rw", folder);
        for (var name : SITES) {
            Programs.run("zfs", "create", "tank/" + name);
            var site = new RunningSite(
                    name,
                    folder.resolve(name),
                    folder.resolve("volumes-" + name),
                    List.of("-Xmx256m"),
                    ", lvm: {group: vg-%1$s, pool: thin}, zfs: {dataset: tank/%1$s}".formatted(name));
            RUNNING.add(site);
            site.start();
        }
        var token = client("two")
                .post("/v1/invitations", Map.of("peer", "one", "validMillis", 600_000))
                .at("token")
                .text();
        client("one").post("/v1/peers", Map.of("id", "two", "token", token));
    }

    @AfterAll
    static void stopSites() throws Exception {
        for (var site : RUNNING) {
            site.close();
        }
    }

    private static SiteClient client(String name) throws IOException {
        return RUNNING.get(SITES.indexOf(name)).client();
    }

    @Test
    void thinVolumeGoesToAnImage() throws Exception {
        var report = assertReplicates("lvm:thin-to-image", "image:from-thin", LARGE_BYTES, LARGE_CHANGED_BLOCKS);

        // What the pool names are whole chunks; both snapshots of them are read, and nothing of the rest.
        long namedBytes = report.at("namedBytes").number();
        assertThat(namedBytes).isLessThanOrEqualTo(LARGE_CHANGED_BLOCKS * CHUNK_BYTES);
        assertThat(report.at("readBytes").number()).isLessThanOrEqualTo(READ_MAXIMUM * namedBytes);
    }

    @Test
    void imageGoesToAZvol() throws Exception {
        assertReplicates("image:image-to-zvol", "zfs:from-image", VOLUME_BYTES, CHANGED_BLOCKS);
    }

    @Test
    void imageGoesToAThinVolume() throws Exception {
        assertReplicates("image:image-to-thin", "lvm:from-image", VOLUME_BYTES, CHANGED_BLOCKS);
    }

    @Test
    void zvolGoesToAThinVolume() throws Exception {
        assertReplicates("zfs:zvol-to-thin", "lvm:from-zvol", VOLUME_BYTES, CHANGED_BLOCKS);
    }

    /** A whole file system, then what changed in it; the copy is mounted nowhere, and its files are compared by us too. */
    @Test
    void filesOfZfsGoToAnotherFileSystem() throws Exception {
        var site = client("one");
        var files = Path.of("/mnt/files");
        Programs.run("zfs", "create", "-o", "mountpoint=" + files, "tank/one/files");
        Programs.run("zfs", "create", "-o", "mountpoint=/mnt/copy", "-o", "canmount=noauto", "tank/two/files");
        var random = new Random(1);
        for (int number = 0; number < FILES; number++) {
            Files.write(files.resolve("file-" + number), noise(random));
        }
        site.post(
                "/v1/groups",
                Map.of("id", "files", "volumes", List.of("zfs:tank/one/files"), "freezeLimitMillis", 5_000));
        var link = site.post(
                        "/v1/links",
                        Map.of(
                                "peer",
                                "two",
                                "group",
                                "files",
                                "volume",
                                "zfs:tank/one/files",
                                "peerVolume",
                                "zfs:tank/two/files"))
                .at("id")
                .text();
        sync(site, "files", link);

        Files.delete(files.resolve("file-0"));
        Files.move(files.resolve("file-1"), files.resolve("moved"));
        Files.write(files.resolve("file-2"), noise(random));
        var report = sync(site, "files", link);

        System.out.printf(
                "lab: files of ZFS: sent %d bytes%n",
                report.at("sentPayloadBytes").number());
        assertThat(report.at("sentPayloadBytes").number()).isBetween((long) FILE_BYTES, 2L * FILE_BYTES);
        var verified = await(site, site.post("/v1/links/" + link + "/verifications", Map.of()));
        assertThat(verified.at("report", "differingBlocks").number()).isZero();
        Programs.run("zfs", "mount", "tank/two/files");
        Programs.run("diff", "-r", files.toString(), "/mnt/copy");
    }

    private static byte[] noise(Random random) {
        var bytes = new byte[FILE_BYTES];
        random.nextBytes(bytes);
        return bytes;
    }

    /** A first copy, then an increment of scattered blocks, of which little more is sent than what changed. */
    private static Json assertReplicates(String volume, String peerVolume, long sizeBytes, int changedBlocks)
            throws Exception {
        var site = client("one");
        var group = volume.replace(':', '-');
        var device = make(volume, sizeBytes);
        site.post(
                "/v1/groups",
                Map.of("id", group, "volumes", List.of(volume), "freezeLimitMillis", 5_000, "freezeFileSystems", true));
        var link = site.post(
                        "/v1/links", Map.of("peer", "two", "group", group, "volume", volume, "peerVolume", peerVolume))
                .at("id")
                .text();
        var random = new Random(volume.hashCode());
        write(device, sizeBytes, random, FIRST_BLOCKS);
        sync(site, group, link);

        write(device, sizeBytes, random, changedBlocks);
        var report = sync(site, group, link);

        long changed = (long) changedBlocks * BLOCK_BYTES;
        System.out.printf(
                "lab: %s to %s: %s named %d, read %d, sent %d of %d bytes%n",
                volume,
                peerVolume,
                report.at("changedRangeSource").text(),
                report.at("namedBytes").number(),
                report.at("readBytes").number(),
                report.at("sentPayloadBytes").number(),
                changed);
        assertThat(report.at("changedBytes").number()).isEqualTo(changed);
        assertThat(report.at("sentPayloadBytes").number()).isBetween(changed, (long) (changed * SENT_MAXIMUM));
        var verified = await(site, site.post("/v1/links/" + link + "/verifications", Map.of()));
        assertThat(verified.at("report", "differingBlocks").number()).isZero();
        return report;
    }

    private static Path make(String volume) throws Exception {
        return make(volume, VOLUME_BYTES);
    }

    private static Path make(String volume, long sizeBytes) throws Exception {
        var made = client("one").post("/v1/volumes", Map.of("id", volume, "sizeBytes", sizeBytes));
        return Path.of(made.at("device").text());
    }

    private static Json sync(SiteClient site, String group, String link) throws Exception {
        take(site, group);
        return await(site, site.post("/v1/links/" + link + "/syncs", Map.of())).at("report");
    }

    private static Json take(SiteClient site, String group) throws ClientException {
        return await(site, site.post("/v1/groups/" + group + "/recovery-points", Map.of()))
                .at("recoveryPoint");
    }

    private static Json await(SiteClient site, Json operation) throws ClientException {
        var ended = new Operations(site).await(operation.at("id").text(), OPERATION_LIMIT, document -> {});
        return Operations.result(ended);
    }

    /** Blocks that nobody has written before, each another place. */
    private static void write(Path device, long sizeBytes, Random random, int blocks) throws IOException {
        var block = new byte[BLOCK_BYTES];
        try (var channel = FileChannel.open(device, StandardOpenOption.WRITE)) {
            for (long at : places(sizeBytes, random, blocks)) {
                random.nextBytes(block);
                channel.write(ByteBuffer.wrap(block), at * BLOCK_BYTES);
            }
            channel.force(true);
        }
    }

    private static long[] places(long sizeBytes, Random random, int blocks) {
        return LongStream.generate(() -> random.nextLong(sizeBytes / BLOCK_BYTES))
                .distinct()
                .limit(blocks)
                .toArray();
    }

    /** Written on each file system before and after: the recovery point has the one and not the other. */
    @Test
    void recoveryPointIsOfAllKindsOfStorageAtOneInstant() throws Exception {
        var site = client("one");
        var volumes = List.of("lvm:together", "zfs:together", "image:together");
        for (var volume : volumes) {
            var device = make(volume);
            Programs.run("mkfs.ext4", "-q", device.toString());
            mount(device, "rw", mountPoint(volume));
            Files.writeString(mountPoint(volume).resolve("before"), "kept");
        }
        site.post(
                "/v1/groups",
                Map.of("id", "together", "volumes", volumes, "freezeLimitMillis", 5_000, "freezeFileSystems", true));

        var point = take(site, "together");
        for (var volume : volumes) {
            Files.writeString(mountPoint(volume).resolve("after"), "left out");
        }

        System.out.printf(
                "lab: frozen for %d ms: %s%n",
                point.at("freezeWindowMillis").number(),
                point.at("certificate", "cuts").text());
        assertThat(point.at("consistency").text()).isEqualTo("FILESYSTEM");
        assertThat(point.at("members").items()).hasSize(volumes.size());
        assertThat(point.at("certificate", "freezes").items())
                .hasSize(volumes.size())
                .allMatch(freeze -> freeze.at("heldUntilThaw").text().equals("true"));
        for (var volume : volumes) {
            assertClone(site, point.at("id").text(), volume);
        }
    }

    /** Its data lie on LVM, one tablespace on ZFS and one in an image on Btrfs; each transaction writes on all of them. */
    @Test
    void databaseOverAllKindsOfStorageIsWholeInARecoveryPoint() throws Exception {
        var site = client("one");
        var volumes = List.of("lvm:database", "zfs:database", "image:database");
        for (var volume : volumes) {
            var device = make(volume, DATABASE_BYTES);
            Programs.run("mkfs.ext4", "-q", device.toString());
            mount(device, "rw", mountPoint(volume));
        }
        var data = mountPoint("lvm:database").resolve("data");
        PostgresServer.init(data);
        List<SequenceWriter.Commit> before;
        List<SequenceWriter.Commit> after;
        String point;
        try (var server = PostgresServer.start(data)) {
            spread(server);
            site.post("/v1/groups", databaseGroup(volumes, server));
            try (var writer = SequenceWriter.start(server)) {
                writer.awaitMore(COMMITS);
                before = writer.commits();
                var taken = take(site, "database");
                after = writer.commits();
                point = taken.at("id").text();
                System.out.printf(
                        "lab: %s, frozen for %d ms, %d commits before%n",
                        taken.at("consistency").text(),
                        taken.at("freezeWindowMillis").number(),
                        before.size());
                assertThat(taken.at("consistency").text())
                        .as(taken.at("certificate", "reasons").text())
                        .isEqualTo("APPLICATION");
            }
        }
        for (var volume : volumes) {
            Programs.run("umount", mountPoint(volume).toString());
            mount(cloned(site, point, volume), "rw", mountPoint(volume));
        }
        Files.deleteIfExists(data.resolve("postmaster.pid"));
        try (var server = PostgresServer.start(data)) {
            long last = server.number("SELECT max(number) FROM sequence_written");
            assertThat(last)
                    .isBetween(before.getLast().number(), after.getLast().number() + 1);
            for (var table : List.of("sequence_written", "on_zfs", "on_image")) {
                assertThat(server.number("SELECT count(*) FROM " + table)).isEqualTo(last);
                assertThat(server.number("SELECT max(number) FROM " + table)).isEqualTo(last);
            }
            server.checkStructures();
            server.stopAndCheckPages();
        }
    }

    private static void spread(PostgresServer server) throws Exception {
        server.execute("CREATE TABLE sequence_written (number bigint PRIMARY KEY)");
        for (var kind : List.of("zfs", "image")) {
            var folder = Files.createDirectory(mountPoint(kind + ":database").resolve("space"));
            Programs.run("chown", "postgres", folder.toString());
            server.execute("CREATE TABLESPACE space_%s LOCATION '%s'".formatted(kind, folder));
            server.execute("CREATE TABLE on_%1$s (number bigint PRIMARY KEY) TABLESPACE space_%1$s".formatted(kind));
        }
        server.execute(
                "CREATE FUNCTION spread() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                        + " INSERT INTO on_zfs VALUES (NEW.number); INSERT INTO on_image VALUES (NEW.number); RETURN NEW; END $$");
        server.execute("CREATE TRIGGER spread AFTER INSERT ON sequence_written FOR EACH ROW EXECUTE FUNCTION spread()");
    }

    private static Map<String, Object> databaseGroup(List<String> volumes, PostgresServer server) {
        var settings = Map.of("host", "127.0.0.1", "port", Integer.toString(server.port()), "user", "postgres");
        return Map.of(
                "id",
                "database",
                "volumes",
                volumes,
                "freezeLimitMillis",
                5_000,
                "freezeFileSystems",
                true,
                "quiescers",
                List.of(Map.of("kind", "postgresql", "settings", settings)));
    }

    private static void assertClone(SiteClient site, String point, String volume) throws Exception {
        var device = cloned(site, point, volume);
        // The clean state of a frozen file system: nothing is to be replayed.
        Programs.run("e2fsck", "-fn", device.toString());
        var where = mountPoint(volume + "-clone");
        mount(device, "ro", where);
        try {
            assertThat(where.resolve("before")).hasContent("kept");
            assertThat(where.resolve("after")).doesNotExist();
        } finally {
            Programs.run("umount", where.toString());
        }
    }

    /** @return the clone's device */
    private static Path cloned(SiteClient site, String point, String volume) throws ClientException {
        var name = volume + "-clone";
        await(site, site.post("/v1/recovery-points/" + point + "/clones", Map.of("volume", volume, "name", name)));
        return Path.of(
                site.get("/v1/volumes/" + name.replace(":", "%3A")).at("device").text());
    }

    private static Path mountPoint(String volume) {
        return Path.of("/mnt", volume.replace(':', '-'));
    }

    private static void mount(Path device, String options, Path where) throws IOException {
        Files.createDirectories(where);
        // Of a file mount makes a loop device by itself.
        Programs.run("mount", "-o", options, device.toString(), where.toString());
    }
}

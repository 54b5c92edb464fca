package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Programs;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.TreeSet;

/**
 * A thin pool on a disk of which every write is logged, and the same disk as a power failure at one of these writes
 * would leave it. What a recovery point has to hold is noted as it is cut. Takes the first four disks of the guest.
 */
final class PowerCuts {
    /** Points of the log in a run of CI; by hand more: {@code -Dtidemark.lab.replays=200}. */
    private static final int REPLAYS = Integer.getInteger("tidemark.lab.replays", 6);

    /** The log takes most; of what is not written nothing is held in memory. */
    static final List<String> DISK_SIZES = List.of("400M", "4G", "400M", "400M");

    /** Of what is replayed to; another one finds other points. */
    private static final long SEED = Long.getLong("tidemark.lab.seed", 2_611);

    /** Where LVM keeps its list of volumes: the first MiB of a disk, unless told otherwise. */
    private static final long LIST_SECTORS = 2_048;

    private static final String DISK = "/dev/ubda";
    private static final String LOG = "/dev/ubdb";
    private static final String REPLAYED = "/dev/ubdc";
    private static final String CHANGES = "/dev/ubdd";

    /** The mark after which the power may fail. */
    private static final String READY = "ready";

    private static final String HELD = "held";

    private static final HoldOwner OWNER = new HoldOwner("someone");
    private static final Path MOUNT_POINT = Path.of("/mnt/logged");
    private static final Path CLONE_MOUNT_POINT = Path.of("/mnt/clone");

    private final LabPool pool;
    private final long sectors;
    private final VolumeId volume;
    private String held = "";
    private final Map<SnapshotId, Promise> promises = new HashMap<>();

    /** What was in the volume: at least what was acknowledged before the cut, at most what was begun before its end. */
    private record Promise(long acknowledged, long begun) {}

    /** Writes 1, 2, 3 and so on, each durably before the next. */
    interface Sequence {
        long acknowledged();

        long begun();
    }

    /** Looks at the file system of a clone. */
    @FunctionalInterface
    interface Check {
        /** @return the last number that is there, with all before it */
        long lastNumberIn(Path mountPoint) throws Exception;
    }

    private PowerCuts(LabPool pool, long sectors, VolumeId volume) {
        this.pool = pool;
        this.sectors = sectors;
        this.volume = volume;
    }

    /** With an ext4 on a thin volume, which is mounted. */
    static PowerCuts begin(String poolSize, long volumeBytes) throws Exception {
        Programs.run("modprobe", "dm-log-writes");
        // The disk below would be a second one with the same label.
        Files.writeString(
                Path.of("/etc/lvm/lvm.conf"),
                "devices/global_filter=[\"a|^/dev/mapper/logged$|\",\"r|.*|\"]%n".formatted(),
                StandardOpenOption.APPEND);
        long sectors = Long.parseLong(Programs.run("blockdev", "--getsz", DISK));
        map("log-writes %s %s".formatted(DISK, LOG), sectors);
        var pool = LabPool.make("/dev/mapper/logged", poolSize, "8M");
        var volume = pool.volume("written");
        try (var provider = pool.open()) {
            var made = provider.create(volume, volumeBytes);
            var device = provider.volume(made.id()).device().orElseThrow().toString();
            Programs.run("mkfs.ext4", "-q", device);
            Files.createDirectories(MOUNT_POINT);
            Files.createDirectories(CLONE_MOUNT_POINT);
            Programs.run("mount", device, MOUNT_POINT.toString());
        }
        return new PowerCuts(pool, sectors, volume);
    }

    private static void map(String table, long sectors) throws IOException {
        Programs.run("dmsetup", "create", "logged", "--table", "0 %d %s".formatted(sectors, table));
    }

    StorageProvider open() throws Exception {
        return pool.open();
    }

    Path mountPoint() {
        return MOUNT_POINT;
    }

    private static void mark(String text) throws IOException {
        Programs.run("dmsetup", "message", "logged", "0", "mark", text);
    }

    /** From now on the power may fail. */
    void ready() throws IOException {
        mark(READY);
    }

    void cut(StorageProvider provider, String point, boolean frozen, Sequence writer) throws Exception {
        var request = new CutRequest(new RecoveryPointId(point), List.of(volume));
        var id = new SnapshotId(volume, request.recoveryPoint());
        provider.prepare(request);
        if (frozen) {
            Programs.run("fsfreeze", "-f", MOUNT_POINT.toString());
        }
        try {
            long acknowledged = writer.acknowledged();
            provider.cut(request);
            promises.put(id, new Promise(acknowledged, writer.begun()));
            mark(answered(id));
        } finally {
            if (frozen) {
                Programs.run("fsfreeze", "-u", MOUNT_POINT.toString());
            }
        }
    }

    /** A point right after it is always replayed to. Nobody else may write by then: his flush would serve it too. */
    void hold(StorageProvider provider, String point) throws Exception {
        provider.hold(new SnapshotId(volume, new RecoveryPointId(point)), OWNER);
        mark(HELD);
        held = point;
    }

    void delete(StorageProvider provider, String point) throws Exception {
        var id = new SnapshotId(volume, new RecoveryPointId(point));
        mark(deleting(id));
        provider.delete(id);
        mark(deleted(id));
    }

    private static String answered(SnapshotId id) {
        return "answered-" + id.recoveryPoint();
    }

    private static String deleting(SnapshotId id) {
        return "deleting-" + id.recoveryPoint();
    }

    private static String deleted(SnapshotId id) {
        return "deleted-" + id.recoveryPoint();
    }

    /** Once nobody writes any more. */
    void end() throws IOException {
        Programs.run("umount", MOUNT_POINT.toString());
        Programs.run("vgchange", "-q", "-an", pool.group());
        Programs.run("dmsetup", "remove", "logged");
    }

    /** The power fails again and again, each time at another write, and all that is listed afterwards is looked at. */
    void replay(Check check) throws Exception {
        int listed = 0;
        var failure = new AssertionError("what a power failure left is not what was promised");
        try (var log = WriteLog.open(Path.of(LOG));
                var disk = FileChannel.open(Path.of(REPLAYED), StandardOpenOption.WRITE)) {
            var points = points(log);
            System.out.printf(
                    "lab: %d entries in the log, %d of them replayed to%n",
                    log.entries().size(), points.size());
            int from = 0;
            for (int point : points) {
                log.replay(disk, from, point);
                from = point;
                try {
                    listed += afterPowerFailure(log, point, check);
                } catch (Exception | AssertionError e) {
                    // Where else it fails says more of the reason.
                    failure.addSuppressed(new AssertionError("after a power failure at entry " + point, e));
                }
            }
            System.out.printf("lab: %d points replayed, %d recovery points looked at%n", points.size(), listed);
        }
        if (failure.getSuppressed().length > 0) {
            throw failure;
        }
        assertThat(listed).isGreaterThan(0);
    }

    /**
     * Seeded: a quarter of them anywhere, and a quarter each right before or after a mark, where something was just
     * answered; a flush, where the pool's own changes take effect; and a change of LVM's list.
     */
    private static List<Integer> points(WriteLog log) {
        int first = log.indexOf(READY) + 1;
        var marks = new ArrayList<Integer>();
        var flushes = new ArrayList<Integer>();
        var listChanges = new ArrayList<Integer>();
        for (int index = first; index < log.entries().size(); index++) {
            var entry = log.entries().get(index);
            if (!entry.mark().isEmpty()) {
                marks.add(index);
            } else if (entry.flushes()) {
                flushes.add(index);
            } else if (entry.sector() < LIST_SECTORS) {
                listChanges.add(index);
            }
        }
        var random = new SplittableRandom(SEED);
        var points = new TreeSet<>(List.of(log.indexOf(HELD) + 1));
        int wanted = Math.min(REPLAYS, log.entries().size() - first);
        for (int attempt = 0; points.size() < wanted; attempt++) {
            points.add(
                    switch (attempt % 4) {
                        case 0 -> marks.get(random.nextInt(marks.size())) + random.nextInt(2);
                        case 1 -> flushes.get(random.nextInt(flushes.size())) + random.nextInt(2);
                        case 2 -> listChanges.get(random.nextInt(listChanges.size())) + random.nextInt(2);
                        default -> random.nextInt(first, log.entries().size() + 1);
                    });
        }
        return List.copyOf(points);
    }

    /** What is changed is thrown away, so that the log can be replayed on from here. */
    private int afterPowerFailure(WriteLog log, int point, Check check) throws Exception {
        map("snapshot %s %s N 8".formatted(REPLAYED, CHANGES), sectors);
        try {
            Programs.run("vgchange", "-q", "-ay", pool.group());
            try (var provider = pool.open()) {
                var found = provider.snapshots(SnapshotQuery.everything()).snapshots().stream()
                        .map(each -> each.id())
                        .toList();
                assertAnswered(log, point, found);
                if (log.indexOf(HELD) < point) {
                    assertHeld(provider);
                }
                for (var each : found) {
                    assertWhole(provider, each, check);
                }
                System.out.printf("lab: point %d: %s%n", point, found);
                return found.size();
            }
        } catch (Exception | AssertionError e) {
            System.out.printf(
                    "lab: point %d: %s%n%s%n%s%n",
                    point,
                    e,
                    Programs.attempt(List.of("lvs", "-a", "-o", "name,attr,thin_id,transaction_id,tags"))
                            .output(),
                    Programs.attempt(List.of("dmsetup", "status")).output());
            throw e;
        } finally {
            Programs.attempt(List.of("umount", CLONE_MOUNT_POINT.toString()));
            Programs.run("vgchange", "-q", "-an", pool.group());
            Programs.run("dmsetup", "remove", "logged");
        }
    }

    /** Whatever was answered is true. */
    private void assertAnswered(WriteLog log, int point, List<SnapshotId> found) {
        assertThat(promises.keySet()).containsAll(found);
        var marks = log.entries().subList(0, point).stream()
                .map(WriteLog.Entry::mark)
                .filter(mark -> !mark.isEmpty())
                .toList();
        for (var each : promises.keySet()) {
            if (marks.contains(answered(each)) && !marks.contains(deleting(each))) {
                assertThat(found).as("what was cut").contains(each);
            }
            if (marks.contains(deleted(each))) {
                assertThat(found).as("what was not deleted").doesNotContain(each);
            }
        }
    }

    private void assertHeld(StorageProvider provider) {
        var refused = catchThrowableOfType(
                ProviderException.class, () -> provider.delete(new SnapshotId(volume, new RecoveryPointId(held))));
        assertThat(refused).as("the refusal to delete what is held").isNotNull();
        assertThat(refused.error()).isInstanceOf(ProviderError.Held.class);
    }

    /** Mounts a clone, by which the file system replays its journal, and checks it afterwards without a repair. */
    private void assertWhole(StorageProvider provider, SnapshotId snapshot, Check check) throws Exception {
        var clone = pool.volume("clone-of-" + snapshot.recoveryPoint());
        var unused = provider.clone(new CloneRequest(snapshot, clone));
        var device = provider.volume(clone).device().orElseThrow().toString();
        Programs.run("mount", device, CLONE_MOUNT_POINT.toString());
        long last = check.lastNumberIn(CLONE_MOUNT_POINT);
        Programs.run("umount", CLONE_MOUNT_POINT.toString());
        Programs.run("e2fsck", "-fn", device);
        var promise = Objects.requireNonNull(promises.get(snapshot));
        assertThat(last).as("last number in %s", snapshot).isBetween(promise.acknowledged(), promise.begun());
    }
}

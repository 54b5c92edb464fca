package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.lvm.LvmProviderFactory;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.Cut;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Programs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Thin volumes are cut while their file systems are frozen and others are written, and what a killed cut leaves is undone. */
@InLab
class ThinCutInLab {
    private static final String GROUP = "vg-1";
    private static final String POOL = "pool-1";
    private static final int VOLUME_BYTES = 32 << 20;
    /** Btrfs wants at least 109 MiB. */
    private static final int BTRFS_BYTES = 128 << 20;

    private static final Path MOUNT_POINT = Path.of("/mnt/cut");

    /** All of LVM is one program. */
    private static final List<Path> PROGRAMS = List.of(Path.of("/usr/sbin/lvm"), Path.of("/usr/sbin/dmsetup"));

    private StorageProvider provider;

    @SuppressWarnings("NullAway.Init") // opened before every test
    ThinCutInLab() {}

    @BeforeAll
    static void makePool() throws IOException {
        Programs.run("pvcreate", "-y", "/dev/ubda");
        Programs.run("vgcreate", GROUP, "/dev/ubda");
        Programs.run("lvcreate", "-y", "--type", "thin-pool", "-L", "512M", "-n", POOL, GROUP);
    }

    @BeforeEach
    void open() throws Exception {
        provider = new LvmProviderFactory().create(Map.of("group", GROUP, "pool", POOL));
    }

    @AfterEach
    void removeAll() throws IOException {
        provider.close();
        if (Files.exists(MOUNT_POINT)) {
            Programs.run("umount", MOUNT_POINT.toString());
            Files.delete(MOUNT_POINT);
        }
        Programs.run("lvremove", "-y", "-S", "segtype=thin", GROUP);
    }

    private VolumeId volume(String name) throws Exception {
        return provider.create(VolumeId.of("lvm", name), VOLUME_BYTES).id();
    }

    private String device(VolumeId volume) throws Exception {
        return provider.volume(volume).device().orElseThrow().toString();
    }

    private static CutRequest request(String point, List<VolumeId> volumes) {
        return new CutRequest(new RecoveryPointId(point), volumes);
    }

    private static void hidePrograms() throws IOException {
        for (var program : PROGRAMS) {
            Files.move(program, Path.of(program + ".hidden"));
        }
    }

    private static void showPrograms() throws IOException {
        for (var program : PROGRAMS) {
            Files.move(Path.of(program + ".hidden"), program);
        }
    }

    /** Prints how long it took, and how long each volume was held. */
    private Cut cutWithoutPrograms(CutRequest request) throws Exception {
        hidePrograms();
        try {
            long started = System.nanoTime();
            var cut = provider.cut(request);
            long tookNanos = System.nanoTime() - started;
            System.out.printf(
                    "cut of %d volumes: %.1f ms in all%n", cut.members().size(), tookNanos / 1e6);
            for (var member : cut.members()) {
                System.out.printf(
                        "  %s: %.1f ms%n",
                        member.snapshot().id(), (member.finishedNanos() - member.startedNanos()) / 1e6);
            }
            return cut;
        } finally {
            showPrograms();
        }
    }

    @Test
    void frozenFileSystemIsCutWithVolumesThatAreWritten() throws Exception {
        var mounted = volume("mounted");
        var first = volume("first");
        var second = volume("second");
        Programs.run("mkfs.ext4", "-q", device(mounted));
        var mountPoint = Files.createDirectory(MOUNT_POINT);
        Programs.run("mount", device(mounted), mountPoint.toString());
        Files.writeString(mountPoint.resolve("before"), "before\n".repeat(10_000));
        var request = request("rp-1", List.of(mounted, first, second));
        Cut cut;
        long longestWriteNanos;
        try (var writer = AlternatingWriter.start(Path.of(device(first)), Path.of(device(second)))) {
            provider.prepare(request);
            writer.awaitMore(20);
            Programs.run("fsfreeze", "-f", mountPoint.toString());
            try {
                cut = cutWithoutPrograms(request);
            } finally {
                Programs.run("fsfreeze", "-u", mountPoint.toString());
            }
            writer.awaitMore(20);
            longestWriteNanos = writer.longestNanos();
        }
        System.out.printf("longest write meanwhile: %.1f ms%n", longestWriteNanos / 1e6);
        Files.writeString(mountPoint.resolve("after"), "after");

        assertThat(cut.atomic()).isTrue();
        long written = numberIn(new SnapshotId(first, request.recoveryPoint()));
        assertThat(written).isGreaterThanOrEqualTo(20);
        assertThat(numberIn(new SnapshotId(second, request.recoveryPoint()))).isBetween(written - 1, written);
        assertThat(filesIn(new SnapshotId(mounted, request.recoveryPoint()))).containsExactly("before", "lost+found");
    }

    private long numberIn(SnapshotId snapshot) throws Exception {
        try (var reader = provider.read(snapshot)) {
            var bytes = ByteBuffer.allocate(Long.BYTES);
            reader.read(0, bytes);
            return bytes.getLong(0);
        }
    }

    /** By a clone that is checked without a repair, and mounted. */
    private List<String> filesIn(SnapshotId snapshot) throws Exception {
        var clone = VolumeId.of("lvm", "clone");
        var unused = provider.clone(new CloneRequest(snapshot, clone));
        Programs.run("e2fsck", "-f", "-n", device(clone));
        var mountPoint = Files.createTempDirectory("clone");
        Programs.run("mount", "-o", "ro", device(clone), mountPoint.toString());
        try (var listing = Files.list(mountPoint)) {
            assertThat(mountPoint.resolve("before")).hasContent("before\n".repeat(10_000));
            return listing.map(each -> String.valueOf(each.getFileName()))
                    .sorted()
                    .toList();
        } finally {
            Programs.run("umount", mountPoint.toString());
        }
    }

    /** Its mounts have a device number of their own, and would be cut without a freeze if they were overlooked. */
    @Test
    void btrfsOnAThinVolumeIsSeenWhereItIsMounted() throws Exception {
        var volume = provider.create(VolumeId.of("lvm", "btrfs"), BTRFS_BYTES).id();
        Programs.run("modprobe", "btrfs");
        Programs.run("mkfs.btrfs", "-q", device(volume));
        Programs.run("mount", device(volume), Files.createDirectory(MOUNT_POINT).toString());

        assertThat(provider.volume(volume).mountPoints()).containsExactly(MOUNT_POINT);
    }

    @Test
    void eightVolumesAreCutInOneShortHold() throws Exception {
        var volumes = new ArrayList<VolumeId>();
        for (int number = 0; number < 8; number++) {
            volumes.add(volume("volume-" + number));
        }
        var request = request("rp-8", volumes);
        provider.prepare(request);

        var cut = cutWithoutPrograms(request);

        assertThat(cut.members()).hasSize(8);
        assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots()).hasSize(8);
        var unused = provider.delete(new SnapshotId(volumes.getFirst(), new RecoveryPointId("rp-none")));
        assertThat(Programs.run("lvs", "--noheadings", "-o", "tags", GROUP)).doesNotContain("tidemark.prepared");
    }

    @Test
    void cutThatDiedBeforeTheSnapshotWasMadeIsUndoneAtOpen() throws Exception {
        var volume = volume("killed");
        provider.prepare(request("rp-1", List.of(volume)));
        var mapped = mapped(volume);
        provider.close();
        Programs.run("dmsetup", "suspend", "--nolockfs", mapped);

        open();

        assertThat(Programs.run("dmsetup", "info", mapped)).containsPattern("State: +ACTIVE");
        assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots()).isEmpty();
        assertThat(Programs.run("lvs", "--noheadings", "-o", "lv_name", GROUP)).doesNotContain("tidemark-s-");
    }

    @Test
    void cutThatDiedAfterTheSnapshotWasMadeIsThereAtOpen() throws Exception {
        var volume = volume("killed");
        try (var writer = provider.write(volume)) {
            writer.write(0, ByteBuffer.allocate(Long.BYTES).putLong(0, 41));
            writer.flush();
        }
        var request = request("rp-1", List.of(volume));
        provider.prepare(request);
        try (var writer = provider.write(volume)) {
            writer.write(0, ByteBuffer.allocate(Long.BYTES).putLong(0, 42));
            writer.flush();
        }
        var mapped = mapped(volume);
        var ids = Programs.run("lvs", "--noheadings", "-o", "thin_id", "-S", "segtype=thin", "-O", "thin_id", GROUP)
                .split("\\s+", -1);
        provider.close();
        Programs.run("dmsetup", "suspend", "--nolockfs", mapped);
        Programs.run("dmsetup", "message", "vg--1-pool--1-tpool", "0", "create_snap %s %s".formatted(ids[1], ids[0]));

        open();

        assertThat(Programs.run("dmsetup", "info", mapped)).containsPattern("State: +ACTIVE");
        assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots()).hasSize(1);
        assertThat(numberIn(new SnapshotId(volume, request.recoveryPoint()))).isEqualTo(42);
    }

    private String mapped(VolumeId volume) throws Exception {
        return String.valueOf(Path.of(device(volume)).getFileName());
    }
}

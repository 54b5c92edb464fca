package io.tidemark.system.lab;

import io.tidemark.provider.lvm.LvmProviderFactory;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Programs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A thin pool on a disk that no other test has: what a fault leaves of it goes with the guest. Chunks of 64 KiB; writes to
 * a full pool fail at once instead of waiting.
 */
record LabPool(String group, String disk) {
    static final String POOL = "pool";
    static final int CHUNK_BYTES = 64 << 10;
    private static final AtomicInteger DISKS = new AtomicInteger();

    /** A disk that is blank; the guest has to have been given enough of them. */
    static String nextDisk() {
        return "/dev/ubd" + (char) ('a' + DISKS.getAndIncrement());
    }

    static LabPool make(String size, String metadataSize) throws IOException {
        return make(nextDisk(), size, metadataSize);
    }

    static LabPool make(String disk, String size, String metadataSize) throws IOException {
        var made = on(disk);
        Programs.run("pvcreate", "-q", "-y", disk);
        Programs.run("vgcreate", "-q", "-s", "1M", made.group, disk);
        Programs.run(
                "lvcreate",
                "-q",
                "-y",
                "--type",
                "thin-pool",
                "-c",
                "64k",
                "-L",
                size,
                "--poolmetadatasize",
                metadataSize,
                "-n",
                POOL,
                made.group);
        Programs.run("lvchange", "--errorwhenfull", "y", made.group + "/" + POOL);
        return made;
    }

    /** As it was made before, by this process or another. */
    static LabPool on(String disk) {
        return new LabPool("faults-" + disk.substring(disk.lastIndexOf('/') + 1), disk);
    }

    StorageProvider open() throws Exception {
        return new LvmProviderFactory().create(Map.of("group", group, "pool", POOL));
    }

    String mapped(String device) {
        return group.replace("-", "--") + "-" + device;
    }

    String target() {
        return mapped(POOL) + "-tpool";
    }

    /** What the kernel says of it. */
    String status() throws IOException {
        return Programs.run("dmsetup", "status", "--noflush", target());
    }

    /** The kernel's number of the pool's state. */
    String transaction() throws IOException {
        return status().split(" ", -1)[3];
    }

    String lvs(String field, String what) throws IOException {
        return Programs.run("lvs", "--noheadings", "-o", field, what);
    }

    /** As in the list of {@code dmsetup info}: what a killed program has left so makes its writers hang. */
    List<String> suspended() throws IOException {
        return Programs.run("dmsetup", "info", "-c", "--noheadings", "--separator", "/", "-o", "name,suspended")
                .lines()
                .filter(line -> line.endsWith("/Suspended"))
                .toList();
    }

    VolumeId volume(String name) {
        return VolumeId.of("lvm", group + "/" + name);
    }

    static String logicalVolume(StorageProvider provider, VolumeId volume) throws ProviderException {
        return Objects.requireNonNull(provider.volume(volume).facts().get("logicalVolume"));
    }

    static SnapshotId cut(StorageProvider provider, VolumeId volume, String point) throws ProviderException {
        var request = new CutRequest(new RecoveryPointId(point), List.of(volume));
        provider.prepare(request);
        provider.cut(request);
        return new SnapshotId(volume, request.recoveryPoint());
    }

    /** Whole chunks of one value, flushed. */
    static void fill(StorageProvider provider, VolumeId volume, int firstChunk, int count, int value)
            throws ProviderException {
        try (var writer = provider.write(volume)) {
            for (int chunk = firstChunk; chunk < firstChunk + count; chunk++) {
                writer.write((long) chunk * CHUNK_BYTES, chunkOf(value));
            }
            writer.flush();
        }
    }

    static ByteBuffer chunkOf(int value) {
        var bytes = new byte[CHUNK_BYTES];
        Arrays.fill(bytes, (byte) value);
        return ByteBuffer.wrap(bytes);
    }

    /** The one value of all bytes of a snapshot's chunks, -1 where they differ. */
    static int valueOf(StorageProvider provider, SnapshotId snapshot, int firstChunk, int count)
            throws ProviderException {
        var bytes = ByteBuffer.allocate(count * CHUNK_BYTES);
        try (var reader = provider.read(snapshot)) {
            reader.read((long) firstChunk * CHUNK_BYTES, bytes);
        }
        for (byte each : bytes.array()) {
            if (each != bytes.get(0)) {
                return -1;
            }
        }
        return bytes.get(0);
    }

    static List<BlockRange> ranges(ChangedRanges changed) throws ProviderException {
        var found = new ArrayList<BlockRange>();
        try (changed) {
            for (var next = changed.next(); next.isPresent(); next = changed.next()) {
                found.add(next.get());
            }
        }
        return found;
    }
}

package io.tidemark.provider.fakecloud.aws;

import io.tidemark.provider.fakecloud.SparseBlocks;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** A volume of a fake region. What tests set and read of it is public. */
public final class FakeVolume {
    final String id;
    final int sizeGib;
    final Instant createTime;
    final Instant availableAt;
    final Lineage lineage;
    final VolumeOptions options;
    private final ReentrantLock lock;
    private final SparseBlocks content;
    Map<String, String> tags;

    @Nullable
    String instanceId;

    @Nullable
    String device;

    int invisibleLists;
    /** Snapshots of it that were pending when last looked at. */
    final List<FakeSnapshot> pending = new ArrayList<>(0);
    /** When the last snapshot of it was begun. */
    Instant lastSnapshot = Instant.MIN;

    /** What snapshots have in common that can be compared. */
    record Lineage(String name) {}

    /** What CreateVolume says of a volume that changes nothing in the fake. */
    record VolumeOptions(
            String zone,
            String type,
            @Nullable String snapshotId,
            boolean encrypted,
            @Nullable String kmsKeyId,
            @Nullable Integer iops,
            @Nullable Integer throughput) {}

    /** Identity, size and content that a volume begins with. */
    record Birth(String id, int sizeGib, Instant at, Duration takes, SparseBlocks content) {}

    FakeVolume(ReentrantLock lock, Birth birth, VolumeOptions options, Map<String, String> tags) {
        this.lock = lock;
        this.id = birth.id();
        this.sizeGib = birth.sizeGib();
        this.createTime = birth.at();
        this.availableAt = birth.at().plus(birth.takes());
        this.content = birth.content();
        this.options = options;
        this.tags = Map.copyOf(tags);
        this.lineage = new Lineage(birth.id());
    }

    public String id() {
        return id;
    }

    /** Tags as they are now. */
    public Map<String, String> tags() {
        lock.lock();
        try {
            return tags;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Writes bytes, as a host would that has the volume attached. Every block of 512 KiB that they touch counts as
     * written.
     *
     * @throws IllegalArgumentException if they do not lie within the volume
     */
    public void write(long offsetBytes, byte[] bytes) {
        requireWithin(offsetBytes, bytes.length);
        lock.lock();
        try {
            content.write(offsetBytes, bytes);
        } finally {
            lock.unlock();
        }
    }

    /** Bytes of the volume; what was never written is zero. */
    public byte[] read(long offsetBytes, int lengthBytes) {
        requireWithin(offsetBytes, lengthBytes);
        lock.lock();
        try {
            return content.read(offsetBytes, lengthBytes);
        } finally {
            lock.unlock();
        }
    }

    SparseBlocks content() {
        return content;
    }

    String state(Instant now) {
        if (now.isBefore(availableAt)) {
            return "creating";
        }
        return instanceId == null ? "available" : "in-use";
    }

    private void requireWithin(long offsetBytes, int lengthBytes) {
        if (offsetBytes < 0 || lengthBytes < 0 || offsetBytes + lengthBytes > (long) sizeGib << 30) {
            throw new IllegalArgumentException(
                    "%d bytes at %d do not lie within %s of %d GiB".formatted(lengthBytes, offsetBytes, id, sizeGib));
        }
    }
}

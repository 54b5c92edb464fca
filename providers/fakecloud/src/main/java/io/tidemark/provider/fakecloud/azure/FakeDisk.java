package io.tidemark.provider.fakecloud.azure;

import io.tidemark.provider.fakecloud.SparseBlocks;
import java.time.Instant;
import java.util.Collections;
import java.util.NavigableMap;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** A managed disk. */
public final class FakeDisk extends FakeResource {
    private static final Set<String> COPIED_LATER = Set.of("UltraSSD_LRS", "PremiumV2_LRS");

    private int sizeGib;
    public final String sku;
    final String createOption;
    final @Nullable String sourceId;
    final SparseBlocks content;
    private final ReentrantLock lock;
    /** The machine that it is attached to. */
    @Nullable
    String vm;

    record Kind(
            int sizeGib,
            String sku,
            String createOption,
            @Nullable String sourceId) {}

    FakeDisk(
            ReentrantLock lock,
            String id,
            String location,
            String uniqueId,
            Instant createdAt,
            Kind kind,
            SparseBlocks content) {
        super(id, location, uniqueId, createdAt);
        this.lock = lock;
        this.sizeGib = kind.sizeGib();
        this.sku = kind.sku();
        this.createOption = kind.createOption();
        this.sourceId = kind.sourceId();
        this.content = content;
    }

    /** As the machine writes that has it. */
    public void write(long offsetBytes, byte[] bytes) {
        lock.lock();
        try {
            content.write(offsetBytes, bytes);
        } finally {
            lock.unlock();
        }
    }

    public byte[] read(long offsetBytes, int lengthBytes) {
        lock.lock();
        try {
            return SparseBlocks.read(content.freeze(), offsetBytes, lengthBytes);
        } finally {
            lock.unlock();
        }
    }

    /** As its owner makes it larger. */
    public void grow(int toGib) {
        lock.lock();
        try {
            if (toGib < sizeGib) {
                throw new IllegalArgumentException(
                        "%s has %d GiB and cannot shrink to %d".formatted(name, sizeGib, toGib));
            }
            sizeGib = toGib;
        } finally {
            lock.unlock();
        }
    }

    int sizeGib() {
        return sizeGib;
    }

    long sizeBytes() {
        return (long) sizeGib << 30;
    }

    /** Whether a snapshot of it has succeeded before its data is there. */
    boolean isCopiedLater() {
        return COPIED_LATER.contains(sku);
    }

    static NavigableMap<Integer, byte[]> nothing() {
        return Collections.emptyNavigableMap();
    }
}

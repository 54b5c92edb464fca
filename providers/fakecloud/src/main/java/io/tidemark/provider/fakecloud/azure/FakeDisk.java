package io.tidemark.provider.fakecloud.azure;

import io.tidemark.provider.fakecloud.SparseBlocks;
import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** A managed disk. */
public final class FakeDisk extends FakeResource {
    private static final Set<String> COPIED_LATER = Set.of("UltraSSD_LRS", "PremiumV2_LRS");

    private int sizeGib;
    /** Of an upload: what was said to come, without the footer. */
    final long uploadBytes;

    public final String sku;
    final String createOption;
    final @Nullable String sourceId;
    final SparseBlocks content;
    private final ReentrantLock lock;
    /** Of what is uploaded: its last 512 bytes, which are not the disk's. */
    byte[] footer = new byte[ArmDisks.FOOTER_BYTES];

    /** Whether the upload is at its end: a signature to write it was revoked. */
    boolean isUploaded;

    /** The machine that it is attached to. */
    @Nullable
    String vm;

    record Kind(
            int sizeGib,
            long uploadBytes,
            String sku,
            String createOption,
            @Nullable String sourceId) {
        Kind(int sizeGib, String sku, String createOption, @Nullable String sourceId) {
            this(sizeGib, 0, sku, createOption, sourceId);
        }
    }

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
        this.uploadBytes = kind.uploadBytes();
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

    /** As its owner tags it, in place of what it had. */
    public void tag(Map<String, String> changed) {
        lock.lock();
        try {
            tags = Map.copyOf(changed);
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

    /** Whether it is written through a signature, and is no disk yet. */
    boolean isUploading() {
        return createOption.equals("Upload") && !isUploaded;
    }

    /** "Virtual Hard Disk Image Format Specification": of a fixed disk, of this size at most, and whole. */
    void finishUpload(long wantedBytes) {
        var told = java.nio.ByteBuffer.wrap(footer);
        int sum = 0;
        for (int at = 0; at < footer.length; at++) {
            sum += at < 64 || at >= 68 ? footer[at] & 0xff : 0;
        }
        boolean isWhole = new String(footer, 0, 8, java.nio.charset.StandardCharsets.US_ASCII).equals("conectix")
                && told.getLong(48) == wantedBytes
                && told.getInt(60) == 2
                && told.getInt(64) == ~sum;
        isUploaded = true;
        failed |= !isWhole;
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

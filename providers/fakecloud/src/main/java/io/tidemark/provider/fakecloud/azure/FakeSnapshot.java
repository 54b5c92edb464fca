package io.tidemark.provider.fakecloud.azure;

import java.time.Duration;
import java.time.Instant;
import java.util.NavigableMap;
import org.jspecify.annotations.Nullable;

/** A snapshot; its content is fixed when its creation is at its end, at the first look after that. */
public final class FakeSnapshot extends FakeResource {
    public final String sourceId;
    public final boolean incremental;
    final String createOption;
    final String family;
    final String sourceUniqueId;
    final int sizeGib;
    final String sku;
    /** Whose data is copied after it has succeeded. */
    final boolean copied;

    @Nullable
    Instant completeAt;

    /** AllowAll, AllowPrivate or DenyAll. */
    String networkAccessPolicy = "AllowAll";

    /** Through which it is read where that is AllowPrivate. */
    @Nullable
    String diskAccess;

    /** The disk encryption set, where one was named. */
    @Nullable
    String encryptionSet;

    boolean sourceLost;
    private final @Nullable FakeDisk disk;
    private @Nullable NavigableMap<Integer, byte[]> content;

    record Source(
            String id,
            String uniqueId,
            String family,
            int sizeGib,
            boolean copied,
            @Nullable FakeDisk disk,
            @Nullable NavigableMap<Integer, byte[]> content) {}

    FakeSnapshot(
            String id,
            String location,
            String uniqueId,
            Instant createdAt,
            Source source,
            String createOption,
            boolean incremental,
            String sku) {
        super(id, location, uniqueId, createdAt);
        this.sourceId = source.id();
        this.sourceUniqueId = source.uniqueId();
        this.family = source.family();
        this.sizeGib = source.sizeGib();
        this.copied = source.copied();
        this.disk = source.disk();
        this.content = source.content();
        this.createOption = createOption;
        this.incremental = incremental;
        this.sku = sku;
    }

    /** Fixes the content, where the time has come. */
    void settle(Instant now) {
        if (content == null && disk != null && !now.isBefore(readyAt) && !failed) {
            content = disk.content.freeze();
        }
    }

    /** Of a disk that is about to be gone. */
    void settleNow() {
        if (content == null && disk != null) {
            content = disk.content.freeze();
        }
    }

    boolean isOf(FakeDisk other) {
        return disk == other;
    }

    NavigableMap<Integer, byte[]> content() {
        return content == null ? FakeDisk.nothing() : content;
    }

    /** The disk encryption set that it is kept under; empty: the platform's key. */
    public String encryptionSet() {
        return encryptionSet == null ? "" : encryptionSet;
    }

    /** 0 to 100; 100 where nothing is copied. */
    float completionPercent(Instant now) {
        if (!copied || completeAt == null || !now.isBefore(completeAt)) {
            return sourceLost ? 50 : 100;
        }
        long whole = Math.max(1, Duration.between(readyAt, completeAt).toMillis());
        long done = Math.max(0, Duration.between(readyAt, now).toMillis());
        return Math.min(99, done * 100f / whole);
    }

    boolean isComplete(Instant now) {
        return provisioningState(now).equals("Succeeded") && !sourceLost && completionPercent(now) >= 100;
    }
}

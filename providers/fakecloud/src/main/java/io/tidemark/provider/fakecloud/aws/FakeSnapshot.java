package io.tidemark.provider.fakecloud.aws;

import io.tidemark.provider.fakecloud.SparseBlocks;
import io.tidemark.provider.fakecloud.aws.FakeVolume.Lineage;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import org.jspecify.annotations.Nullable;

/**
 * A snapshot of a fake region. Its state follows from the clock alone: nothing runs in the background.
 *
 * <p>Mutable fields are guarded by the lock of the account.
 */
public final class FakeSnapshot {
    final String id;
    final String ownerId;
    final String volumeId;
    final int volumeSizeGib;
    final Instant startTime;
    final String description;
    final Lineage lineage;
    final boolean encrypted;
    final @Nullable String kmsKeyId;
    Map<String, String> tags;
    NavigableMap<Integer, byte[]> content;
    /** When it is completed, or in error; {@link Instant#MAX} while blocks are written to it through EBS direct. */
    Instant endsAt;

    @Nullable
    String errorMessage;
    /** Present while, and after, it is written through EBS direct. */
    @Nullable
    EbsUpload upload;
    /** Present for what few snapshots have: a lock, a tier, a stay in the recycle bin. */
    @Nullable
    SnapshotProtection protection;

    int invisibleLists;

    /** What a snapshot is of, and what it begins with. */
    record Birth(
            String id,
            String ownerId,
            String volumeId,
            int volumeSizeGib,
            String description,
            Lineage lineage,
            NavigableMap<Integer, byte[]> content) {}

    /** How a snapshot is encrypted; no key where it is not. */
    record Encryption(boolean encrypted, @Nullable String kmsKeyId) {
        static final Encryption NONE = new Encryption(false, null);
    }

    FakeSnapshot(Birth birth, Encryption encryption, Instant startTime, Instant endsAt, Map<String, String> tags) {
        this.id = birth.id();
        this.ownerId = birth.ownerId();
        this.volumeId = birth.volumeId();
        this.volumeSizeGib = birth.volumeSizeGib();
        this.description = birth.description();
        this.lineage = birth.lineage();
        this.content = birth.content();
        this.encrypted = encryption.encrypted();
        this.kmsKeyId = encryption.kmsKeyId();
        this.startTime = startTime;
        this.endsAt = endsAt;
        this.tags = Map.copyOf(tags);
    }

    public String id() {
        return id;
    }

    /** The volume it was taken of; {@code vol-ffffffff} of a copy and of one that was written through EBS direct. */
    public String volumeId() {
        return volumeId;
    }

    /** Tags as they are now. */
    public Map<String, String> tags() {
        return tags;
    }

    /** Numbers of the blocks that were ever written, ascending. */
    public List<Integer> blocks() {
        return List.copyOf(content.keySet());
    }

    /** Bytes of the content; what was never written is zero. */
    public byte[] read(long offsetBytes, int lengthBytes) {
        return SparseBlocks.read(content, offsetBytes, lengthBytes);
    }

    Encryption encryption() {
        return new Encryption(encrypted, kmsKeyId);
    }

    SnapshotProtection protection() {
        SnapshotProtection present = protection;
        if (present == null) {
            present = new SnapshotProtection();
            protection = present;
        }
        return present;
    }

    boolean inBin() {
        SnapshotProtection present = protection;
        return present != null && present.enteredBin != null;
    }

    String state(Instant now) {
        EbsUpload writing = upload;
        if (writing != null && endsAt.equals(Instant.MAX) && writing.expired(now)) {
            return "error";
        }
        if (now.isBefore(endsAt)) {
            return "pending";
        }
        return errorMessage == null ? "completed" : "error";
    }

    /** Percentage in the form of DescribeSnapshots. */
    String progress(Instant now) {
        String state = state(now);
        if (state.equals("completed")) {
            return "100%";
        }
        EbsUpload writing = upload;
        if (writing != null) {
            return writing.progressPercent() + "%";
        }
        long whole = Math.max(1, Duration.between(startTime, endsAt).toMillis());
        return Math.clamp(Duration.between(startTime, now).toMillis() * 100 / whole, 0, 99) + "%";
    }
}

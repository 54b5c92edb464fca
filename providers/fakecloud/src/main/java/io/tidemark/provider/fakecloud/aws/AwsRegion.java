package io.tidemark.provider.fakecloud.aws;

import io.tidemark.provider.fakecloud.FakeClock;
import io.tidemark.provider.fakecloud.SparseBlocks;
import io.tidemark.provider.fakecloud.aws.FakeSnapshot.Encryption;
import io.tidemark.provider.fakecloud.aws.FakeVolume.Lineage;
import io.tidemark.provider.fakecloud.aws.FakeVolume.VolumeOptions;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** What one region of the account holds. Guarded by the lock of the account. */
final class AwsRegion {
    /** What EC2 shows as the volume of a snapshot that was taken of none. */
    static final String NO_VOLUME = "vol-ffffffff";

    private static final String STRANGER = "099720109477";

    final String name;
    final String accountId;
    final FakeAwsSettings settings;
    final ReentrantLock lock;
    final FakeClock clock;
    final TreeMap<String, FakeVolume> volumes = new TreeMap<>();
    final TreeMap<String, FakeSnapshot> snapshots = new TreeMap<>();
    /** Snapshots that exist and do not yet lie in the recycle bin, by the AMI that uses them. */
    final Map<String, String> imageOfSnapshot = new HashMap<>();

    final Map<String, Instance> instances = new TreeMap<>();
    /** Copies under way, by the snapshot they make, to the one they read. */
    final Map<String, String> sourceOfCopy = new HashMap<>();

    /** Volumes by the client token that made them. */
    final Map<String, TokenUse> clientTokens = new HashMap<>();

    /** How long a deleted snapshot stays in the recycle bin; zero without a rule. */
    Duration binRetention = Duration.ZERO;

    boolean encryptionByDefault;
    private long created;

    /** An instance and its volumes by device, the root first. */
    record Instance(String id, LinkedHashMap<String, String> volumeByDevice) {}

    /** What a client token stands for: the parameters it came with, and what came of it. */
    record TokenUse(String parameters, String madeId) {}

    AwsRegion(String name, FakeAwsSettings settings, ReentrantLock lock, FakeClock clock) {
        this.name = name;
        this.settings = settings;
        this.accountId = settings.accountId();
        this.lock = lock;
        this.clock = clock;
        for (int count = 0; count < settings.publicSnapshots(); count++) {
            String id = newId("snap-");
            var birth = new FakeSnapshot.Birth(
                    id, STRANGER, NO_VOLUME, 8, "public", new Lineage(id), Collections.emptyNavigableMap());
            snapshots.put(id, new FakeSnapshot(birth, Encryption.NONE, clock.instant(), clock.instant(), Map.of()));
        }
    }

    Instant now() {
        return clock.instant();
    }

    /** An id as EC2's: 17 hexadecimal digits, in no order, never twice. */
    String newId(String prefix) {
        created++;
        long mixed = (created + name.hashCode()) * 0x9E3779B97F4A7C15L;
        return "%s0%016x".formatted(prefix, mixed ^ (mixed >>> 32));
    }

    FakeVolume addVolume(int sizeGib, VolumeOptions options, Map<String, String> tags, SparseBlocks content) {
        var birth = new FakeVolume.Birth(newId("vol-"), sizeGib, now(), settings.takes(), content);
        var volume = new FakeVolume(lock, birth, options, tags);
        volumes.put(volume.id, volume);
        return volume;
    }

    /** A snapshot that this account may know of; not one in the recycle bin. */
    @Nullable
    FakeSnapshot snapshot(@Nullable String id) {
        FakeSnapshot snapshot = id == null ? null : snapshots.get(id);
        if (snapshot == null || gone(snapshot) || snapshot.inBin()) {
            return null;
        }
        return snapshot;
    }

    /** As {@link #snapshot}, of those that lie in the recycle bin. */
    @Nullable
    FakeSnapshot inBin(String id) {
        FakeSnapshot snapshot = snapshots.get(id);
        return snapshot == null || gone(snapshot) || !snapshot.inBin() ? null : snapshot;
    }

    /** Removes snapshots whose stay in the recycle bin is over. */
    private boolean gone(FakeSnapshot snapshot) {
        SnapshotProtection protection = snapshot.protection;
        boolean over = protection != null && protection.enteredBin != null && !now().isBefore(protection.leavesBin);
        if (over) {
            snapshots.remove(snapshot.id);
        }
        return over;
    }

    /** Snapshots that are neither gone nor in the recycle bin, from the one after {@code afterId} on. */
    List<FakeSnapshot> snapshotsAfter(String afterId) {
        return snapshots.tailMap(afterId, false).values().stream()
                .filter(snapshot -> !snapshot.inBin())
                .toList();
    }

    /** Snapshots of a volume that are pending, those that ended or were deleted forgotten. */
    int pendingSnapshotsOf(FakeVolume volume) {
        Instant now = now();
        volume.pending.removeIf(snapshot ->
                !snapshots.containsKey(snapshot.id) || !snapshot.state(now).equals("pending"));
        return volume.pending.size();
    }

    /** Copies that are under way, those that ended forgotten. */
    long pendingCopies() {
        Instant now = now();
        sourceOfCopy.keySet().removeIf(copy -> {
            FakeSnapshot snapshot = snapshots.get(copy);
            return snapshot == null || !snapshot.state(now).equals("pending");
        });
        return sourceOfCopy.size();
    }
}

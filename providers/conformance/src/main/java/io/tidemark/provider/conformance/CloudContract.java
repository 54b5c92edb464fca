package io.tidemark.provider.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.Capability;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The life of snapshots of one volume of a cloud, in a real account or a fake one, as cheaply as it can be: two snapshots, a
 * clone, a few blocks read. What carries the test's installation is deleted first and last; nothing else is touched.
 *
 * <p>The volume is not written: whoever attaches it may do so meanwhile.
 */
public abstract class CloudContract {
    private static final HoldOwner OWNER = new HoldOwner("live-test");
    /** Blocks read of each snapshot; each costs. */
    private static final int READ_BYTES_MAXIMUM = 4 << 20;

    private static final int RANGES_MAXIMUM = 8;

    /** With an installation of its own, which nothing but tests uses. */
    protected abstract StorageProvider open() throws Exception;

    /** An existing volume, of at most {@link #sizeMaximumBytes}. */
    protected abstract VolumeId volume();

    /** The most that may be cut: snapshots cost by their size. */
    protected abstract long sizeMaximumBytes();

    /** For each of what a cloud does in its own time. */
    protected abstract Duration patience();

    /** Waits so long; a fake's clock is moved on. */
    protected abstract void pause(Duration time) throws InterruptedException;

    @Test
    void snapshotsLiveFromTheirCutToTheirDeletion() throws Exception {
        try (var provider = open()) {
            sweep(provider);
            try {
                live(provider);
            } finally {
                sweep(provider);
            }
            assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                    .as("what is left in the account")
                    .isEmpty();
        }
    }

    private void live(StorageProvider provider) throws Exception {
        var volume = provider.volume(volume());
        assertThat(volume.sizeBytes()).as("size, which costs").isBetween(1L, sizeMaximumBytes());
        assertThat(provider.volumes()).extracting(each -> each.id()).contains(volume.id());

        var older = cut(provider, "rp-live1");
        var newer = cut(provider, "rp-live2");
        assertThat(provider.snapshots(SnapshotQuery.ofVolume(volume.id())).snapshots())
                .extracting(Snapshot::id)
                .containsExactlyInAnyOrder(older, newer);
        ready(provider, older);
        ready(provider, newer);

        provider.hold(older, OWNER);
        assertThat(error(() -> provider.delete(older))).isInstanceOf(ProviderError.Held.class);
        provider.release(older, OWNER);

        if (volume.can(Capability.RANDOM_READ)) {
            read(provider, older);
        }
        if (volume.can(Capability.CHANGED_RANGES)) {
            changed(provider, older, newer);
        }
        if (volume.can(Capability.CLONE)) {
            clone(provider, newer);
        }
        for (var each : List.of(older, newer)) {
            done(provider, provider.delete(each));
            done(provider, provider.delete(each));
        }
    }

    private SnapshotId cut(StorageProvider provider, String recoveryPoint) throws Exception {
        var request = new CutRequest(new RecoveryPointId(recoveryPoint), List.of(volume()));
        patiently(() -> {
            provider.prepare(request);
            return provider.cut(request);
        });
        assertThat(provider.cut(request).members()).as("asked again").hasSize(1);
        return new SnapshotId(volume(), request.recoveryPoint());
    }

    private void ready(StorageProvider provider, SnapshotId snapshot) throws Exception {
        for (var waited = Duration.ZERO; waited.compareTo(patience()) < 0; ) {
            switch (provider.readiness(snapshot)) {
                case Readiness.Ready() -> {
                    return;
                }
                case Readiness.Failed(var error) -> throw new ProviderException(error);
                case Readiness.Pending(var progress, var askAgainAfter) -> {
                    assertThat(progress).isBetween(0.0, 1.0);
                    pause(askAgainAfter);
                    waited = waited.plus(askAgainAfter);
                }
            }
        }
        throw new AssertionError("%s is not ready after %s".formatted(snapshot, patience()));
    }

    private static void read(StorageProvider provider, SnapshotId snapshot) throws Exception {
        var ranges = new ArrayList<BlockRange>();
        try (var allocated = provider.allocatedRanges(snapshot)) {
            for (var next = allocated.next();
                    next.isPresent() && ranges.size() < RANGES_MAXIMUM;
                    next = allocated.next()) {
                ranges.add(next.orElseThrow());
            }
        }
        long left = READ_BYTES_MAXIMUM;
        try (var reader = provider.read(snapshot)) {
            for (var range : ranges) {
                int length = (int) Math.min(left, range.lengthBytes());
                var once = ByteBuffer.allocate(length);
                var twice = ByteBuffer.allocate(length);
                reader.read(range.offsetBytes(), once);
                reader.read(range.offsetBytes(), twice);
                assertThat(once.flip()).isEqualTo(twice.flip());
                left -= length;
            }
        }
    }

    /** Between two cuts one after the other there is less than all, and each range lies within the volume. */
    private static void changed(StorageProvider provider, SnapshotId older, SnapshotId newer) throws Exception {
        try (var ranges = provider.changedRanges(older, newer)) {
            long end = 0;
            for (var next = ranges.next(); next.isPresent(); next = ranges.next()) {
                assertThat(next.orElseThrow().offsetBytes()).isGreaterThanOrEqualTo(end);
                end = next.orElseThrow().endBytes();
            }
        }
    }

    private void clone(StorageProvider provider, SnapshotId snapshot) throws Exception {
        var name = VolumeId.of(provider.name(), "tidemark-live-clone");
        var request = new CloneRequest(snapshot, name);
        done(provider, provider.clone(request));
        done(provider, provider.clone(request));
        assertThat(provider.volume(name).sizeBytes())
                .isEqualTo(provider.volume(volume()).sizeBytes());
        patiently(() -> {
            provider.remove(name);
            return true;
        });
    }

    private void done(StorageProvider provider, Step<?> first) throws Exception {
        var step = first;
        var waited = Duration.ZERO;
        while (step instanceof Step.Running<?> running) {
            assertThat(waited).as("waited for %s", running.handle()).isLessThan(patience());
            pause(running.askAgainAfter());
            waited = waited.plus(running.askAgainAfter());
            step = provider.resume(running.handle());
        }
    }

    private interface Call {
        Object run() throws ProviderException;
    }

    /** A cloud's limits of rate are waited for. */
    private void patiently(Call call) throws Exception {
        for (var waited = Duration.ZERO; ; ) {
            try {
                call.run();
                return;
            } catch (ProviderException e) {
                if (!(e.error() instanceof ProviderError.Busy busy) || waited.compareTo(patience()) >= 0) {
                    throw e;
                }
                pause(busy.retryAfter());
                waited = waited.plus(busy.retryAfter());
            }
        }
    }

    private static ProviderError error(Call call) {
        try {
            throw new AssertionError("was not refused: " + call.run());
        } catch (ProviderException e) {
            return e.error();
        }
    }

    /** What an earlier run left, killed perhaps. */
    private void sweep(StorageProvider provider) throws Exception {
        for (var snapshot : provider.snapshots(SnapshotQuery.everything()).snapshots()) {
            provider.release(snapshot.id(), OWNER);
            done(provider, provider.delete(snapshot.id()));
        }
        patiently(() -> {
            provider.remove(VolumeId.of(provider.name(), "tidemark-live-clone"));
            return true;
        });
    }
}

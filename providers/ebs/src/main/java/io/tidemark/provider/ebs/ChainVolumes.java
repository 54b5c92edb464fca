package io.tidemark.provider.ebs;

import io.tidemark.spi.Capability;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.Step;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.time.Duration;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/** What callers ask of chains: volumes that are made here, written from outside, and kept at Amazon as snapshots alone. */
final class ChainVolumes implements AutoCloseable {
    /** EBS User Guide, "Amazon EBS volume types": 64 TiB. */
    static final long SIZE_MAXIMUM = 64L << 40;

    private static final System.Logger LOG = System.getLogger(ChainVolumes.class.getName());
    private static final Duration ASK_AGAIN = Duration.ofSeconds(5);

    private static final Set<Capability> CAPABILITIES = Set.of(
            Capability.INSTANT_SNAPSHOT,
            Capability.TRACKED_CHANGES,
            Capability.CHANGED_RANGES,
            Capability.RANDOM_READ,
            Capability.RANDOM_WRITE,
            Capability.CLONE,
            Capability.HOLDS,
            Capability.CREATE);

    private final Chains chains;
    private final ChainWork work;
    private final ChainUploads uploads;
    private final DirectCalls direct;
    private final Semaphore permits;
    private final InstantSource clock;
    private final Set<AutoCloseable> open = ConcurrentHashMap.newKeySet();

    ChainVolumes(
            Chains chains,
            ChainWork work,
            ChainUploads uploads,
            DirectCalls direct,
            Semaphore permits,
            InstantSource clock) {
        this.chains = chains;
        this.work = work;
        this.uploads = uploads;
        this.direct = direct;
        this.permits = permits;
        this.clock = clock;
        chains.all().forEach(work::kick);
    }

    /** @throws ProviderException Corrupt */
    Optional<Chain> find(VolumeId volume) throws ProviderException {
        chains.refuseDamaged(volume);
        return chains.find(volume);
    }

    List<Volume> all() {
        return chains.all().stream().map(this::described).toList();
    }

    Volume described(Chain chain) {
        var record = chain.record();
        var facts = new LinkedHashMap<String, String>();
        facts.put("method", "ebs-chain");
        facts.put("base", record.base().orElse("none"));
        facts.put("toUpload", String.valueOf(chain.snapshots().size()));
        facts.put("stagingFreeBytes", String.valueOf(chains.freeBytes()));
        return new Volume(chain.id(), record.sizeBytes(), CAPABILITIES, Optional.empty(), List.of(), facts);
    }

    /** The caller has seen that there is no other volume of the name, nor a snapshot of one. */
    Volume make(VolumeId volume, long sizeBytes) throws ProviderException {
        return described(chains.make(volume, sizeBytes, Optional.empty()));
    }

    static void checkSize(VolumeId volume, long sizeBytes) throws ProviderException {
        if (sizeBytes <= 0 || sizeBytes % 512 != 0) {
            throw new IllegalArgumentException(
                    "size of %s is no positive multiple of 512: %d".formatted(volume, sizeBytes));
        }
        if (sizeBytes > SIZE_MAXIMUM) {
            throw new ProviderException(new ProviderError.Conflict(
                    volume.toString(), "%d bytes are more than the 64 TiB that EBS has".formatted(sizeBytes)));
        }
        if (EbsNames.isCloudVolume(volume)) {
            throw new ProviderException(new ProviderError.Conflict(
                    volume.toString(), "such names are given by Amazon; name the volume otherwise"));
        }
    }

    /** The caller has seen that it has no snapshots. */
    void remove(Chain chain) throws ProviderException {
        if (chain.isWritten()) {
            throw new ProviderException(
                    new ProviderError.Busy(chain.id().toString(), "a writer of this process", ASK_AGAIN));
        }
        work.stop(chain);
        try {
            for (var each : chain.record().abandoned()) {
                if (uploads.discard(chain, each)) {
                    chain.update(record -> record.withoutAbandoned(each));
                }
            }
            for (var each : chain.record().left()) {
                leave(chain, each);
            }
            if (chain.record().abandoned().isEmpty() && chain.record().left().isEmpty()) {
                chains.remove(chain);
                return;
            }
        } finally {
            work.resume(chain);
        }
        throw new ProviderException(
                new ProviderError.Busy(chain.id().toString(), "the deletion of what was uploaded of it", ASK_AGAIN));
    }

    /** Deletes what only this chain lies on; what another one does too is left to that. */
    private void leave(Chain chain, String cloudId) throws ProviderException {
        var other = chains.all().stream()
                .filter(each -> each != chain && each.record().base().equals(Optional.of(cloudId)))
                .findFirst();
        if (other.isPresent()) {
            other.get().update(record -> record.withLeft(List.of(cloudId)));
        } else if (!uploads.delete(cloudId)) {
            return;
        }
        chain.update(record -> record.withoutLeft(cloudId));
    }

    Snapshot cut(Chain chain, RecoveryPointId point) throws ProviderException {
        // Amazon's times are of milliseconds, and so are ours, which go to it as a tag.
        var snapshot = chain.cut(point, clock.instant().truncatedTo(ChronoUnit.MILLIS));
        work.kick(chain);
        return snapshot;
    }

    /** The chain that has the snapshot's layer on this host. */
    Optional<Chain> holder(SnapshotId snapshot) throws ProviderException {
        return find(snapshot.volume())
                .filter(each -> each.record().sealedOf(snapshot.recoveryPoint()).isPresent());
    }

    Readiness readiness(Chain chain, SnapshotId snapshot) {
        var failure = uploads.failure(snapshot);
        if (failure.isPresent()) {
            return new Readiness.Failed(failure.get());
        }
        var record = chain.record();
        var layer = record.sealedOf(snapshot.recoveryPoint());
        if (layer.isEmpty()) {
            return new Readiness.Pending(1, ASK_AGAIN);
        }
        int end = chain.blocks(record.baseNumber(), layer.get().number()).length();
        double progress = end == 0 ? 0 : Math.clamp((double) layer.get().confirmed() / end, 0, 1);
        return new Readiness.Pending(progress, ASK_AGAIN);
    }

    /** @return none where the upload is at its end since the chain was found to hold the snapshot */
    Optional<SnapshotReader> read(Chain chain, SnapshotId snapshot) throws ProviderException {
        synchronized (chain) {
            var record = chain.record();
            var layer = record.sealedOf(snapshot.recoveryPoint());
            if (layer.isEmpty()) {
                return Optional.empty();
            }
            var base = record.base();
            var reader = new ChainReader(
                    snapshot,
                    record.sizeBytes(),
                    chain.sealedAgain(layer.get().number()),
                    base(chain, () -> base),
                    open::remove);
            open.add(reader);
            return Optional.of(reader);
        }
    }

    VolumeWriter write(Chain chain) throws ProviderException {
        var writer = new ChainWriter(chain, base(chain, () -> chain.record().base()), open::remove);
        open.add(writer);
        return writer;
    }

    private ChainBase base(Chain chain, Supplier<Optional<String>> base) {
        return new ChainBase(
                base,
                cloudId -> new DirectReader(
                        chain.id() + " at " + cloudId, cloudId, chain.sizeBytes(), direct, permits, closed -> {}));
    }

    /** @return none where the upload is at its end since the chain was found to hold the snapshot */
    Optional<ChangedRanges> allocated(Chain chain, SnapshotId snapshot) throws ProviderException {
        ChainRecord record;
        var blocks = new BitSet();
        synchronized (chain) {
            record = chain.record();
            var layer = record.sealedOf(snapshot.recoveryPoint());
            if (layer.isEmpty()) {
                return Optional.empty();
            }
            blocks.or(chain.blocks(record.baseNumber(), layer.get().number()));
        }
        if (record.base().isPresent()) {
            ChainRanges.add(DirectRanges.written(direct, record.base().get(), record.sizeBytes()), blocks);
        }
        return Optional.of(new ChainRanges(blocks, record.sizeBytes()));
    }

    /** A snapshot of a chain: at Amazon, or where that is empty on this host. */
    record Where(SnapshotId snapshot, Optional<CloudSnapshot> cloud) {}

    /**
     * Between two of a chain of which one at least is on this host.
     *
     * @return none where the upload of one is at its end since it was found to be
     */
    Optional<ChangedRanges> changed(Chain chain, Where one, Where other) throws ProviderException {
        ChainRecord record;
        var blocks = new BitSet();
        synchronized (chain) {
            record = chain.record();
            var from = number(record, one);
            var to = number(record, other);
            if (from.isEmpty() || to.isEmpty()) {
                return Optional.empty();
            }
            int lower = Math.min(from.getAsInt(), to.getAsInt());
            int upper = Math.max(from.getAsInt(), to.getAsInt());
            blocks.or(chain.blocks(Math.max(lower, record.baseNumber()), upper));
        }
        var cloud = one.cloud().or(other::cloud);
        var base = record.base();
        if (cloud.isPresent()
                && base.isPresent()
                && !base.get().equals(cloud.get().id())) {
            ChainRanges.add(DirectRanges.changed(direct, cloud.get().id(), base.get(), record.sizeBytes()), blocks);
        }
        return Optional.of(new ChainRanges(blocks, record.sizeBytes()));
    }

    private static OptionalInt number(ChainRecord record, Where where) {
        if (where.cloud().isPresent()) {
            return where.cloud().get().chainNumber();
        }
        return record.sealedOf(where.snapshot().recoveryPoint()).stream()
                .mapToInt(ChainRecord.Sealed::number)
                .findFirst();
    }

    /** @return whether it was on this host */
    boolean drop(Chain chain, SnapshotId snapshot) throws ProviderException {
        boolean dropped = chain.drop(snapshot);
        if (dropped) {
            uploads.forget(snapshot);
        }
        work.kick(chain);
        return dropped;
    }

    /** Whether any chain lies on it; changes nothing. */
    boolean isBase(String cloudId) {
        return chains.isBase(cloudId);
    }

    /**
     * Of a snapshot at Amazon that is deleted while chains lie on it.
     *
     * @return whether any does: then it is to be kept, without its recovery point
     */
    boolean keepsAsBase(String cloudId) throws ProviderException {
        chains.refuseDamagedOn(cloudId);
        var based = chains.basedOn(cloudId);
        if (based.isEmpty()) {
            return false;
        }
        based.get().update(record -> record.withLeft(List.of(cloudId)));
        return true;
    }

    /**
     * A chain whose lowest layer lies on the snapshot.
     *
     * @param snapshot as it is at Amazon
     */
    Step<Volume> clone(CloneRequest request, CloudSnapshot snapshot) throws ProviderException {
        var origin = new Chains.Origin(request.snapshot(), snapshot.id());
        return new Step.Done<>(described(chains.make(request.name(), snapshot.sizeBytes(), Optional.of(origin))));
    }

    @Override
    public void close() {
        open.forEach(ChainVolumes::end);
        work.close();
        end(chains);
    }

    /** At the end of a process nobody can do anything about a file that cannot be closed; what was flushed stays. */
    private static void end(AutoCloseable each) {
        try {
            each.close();
        } catch (Exception e) {
            LOG.log(System.Logger.Level.DEBUG, () -> "closing " + each, e);
        }
    }
}

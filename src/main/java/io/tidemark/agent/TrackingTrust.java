package io.tidemark.agent;

import io.tidemark.block.AuditRound;
import io.tidemark.block.AuditedRanges;
import io.tidemark.block.RangeAlgebra;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.TrackingAudit;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Believes a changed-range source as long as its audits find nothing. A source that left out one changed block is not
 * asked again: from then on both snapshots are compared in full, until an operator says that it may be trusted.
 */
public final class TrackingTrust {
    private static final Logger log = LoggerFactory.getLogger(TrackingTrust.class);

    /** Its next transfer decides anew what it may build on. */
    private static final Duration TRUSTED_AGAIN_RETRY = Duration.ofSeconds(1);

    /**
     * @param sampleCount blocks drawn by chance in each synchronisation, 0 to {@link AuditedRanges.Scope#SAMPLES_MAXIMUM}
     * @param wholeEvery time in which the rolling audit covers a volume once; empty: it does not run
     */
    public record Effort(int sampleCount, Optional<Duration> wholeEvery) {
        public static final Effort NONE = new Effort(0, Optional.empty());
    }

    private final TrackingAudits audits;
    private final BlockKernel kernel;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final Effort effort;

    /** Believes everything and remembers nothing: for benchmarks and tests of other things. */
    public static TrackingTrust unaudited(BlockKernel kernel) {
        return new TrackingTrust(new Forgetful(), kernel, () -> Instant.EPOCH, () -> 0L, Effort.NONE);
    }

    public TrackingTrust(
            TrackingAudits audits, BlockKernel kernel, InstantSource clock, RandomGenerator random, Effort effort) {
        this.audits = audits;
        this.kernel = kernel;
        this.clock = clock;
        this.random = random;
        this.effort = effort;
    }

    /** To be asked before a transfer is offered: what it may build on is decided by what is known now. */
    Transfer begin(LinkId link, VolumeId volume, RecoveryPointId point) {
        long epoch = audits.find(volume).map(TrackingAudit::epoch).orElse(0L);
        boolean mayResume = audits.transferEpoch(link, point).equals(OptionalLong.of(epoch));
        return new Transfer(link, volume, point, epoch, mayResume);
    }

    /** One transfer of a recovery point, within one epoch. */
    final class Transfer {
        private final LinkId link;
        private final VolumeId volume;
        private final RecoveryPointId point;
        private final long epoch;
        private final boolean mayResume;

        private Transfer(LinkId link, VolumeId volume, RecoveryPointId point, long epoch, boolean mayResume) {
            this.link = link;
            this.volume = volume;
            this.point = point;
            this.epoch = epoch;
            this.mayResume = mayResume;
        }

        LinkId link() {
            return link;
        }

        VolumeId volume() {
            return volume;
        }

        long epoch() {
            return epoch;
        }

        /** Whether changes are looked for in both snapshots wholly: the storage does not name them, or was caught. */
        boolean comparesWholly(StorageProvider provider) throws ProviderException {
            return !provider.volume(volume).can(Capability.CHANGED_RANGES) || !believes(volume);
        }

        /** Whether the storage is believed, where it says that there are holes too. */
        boolean believed() {
            return believes(volume);
        }

        /**
         * Whether what an interrupted transfer left at the target may be gone on with. Not when it was begun in another
         * epoch: its blocks may have been named by a source that has been caught since.
         */
        boolean mayResume() {
            return mayResume;
        }

        /** The target has taken the offer; when it begins from the beginning, that is written down. */
        void accepted(long resumeBytes) {
            if (resumeBytes == 0) {
                audits.transferBegan(link, point, epoch);
            }
        }

        /**
         * Opens what says which ranges may have changed. The readers stay the caller's.
         *
         * @throws ReplicationException retryable, when the source was caught or trusted again since {@link #begin}
         */
        Answer changes(StorageProvider provider, SnapshotReaders snapshots)
                throws ProviderException, ReplicationException {
            var now = clock.instant();
            var known = audits.find(volume).orElseGet(() -> TrackingAudit.begin(volume, now));
            mustBeOfThisEpoch(known);
            boolean tracked = provider.volume(volume).can(Capability.CHANGED_RANGES);
            if (known.distrust().isPresent()) {
                // Not even its holes: the same storage tells them.
                return new Answer(this, RangeAlgebra.whole(snapshots.newer().sizeBytes()), Optional.empty());
            }
            if (!tracked) {
                return new Answer(this, DataRanges.of(snapshots.older(), snapshots.newer()), Optional.empty());
            }
            var named = provider.changedRanges(snapshots.olderId(), snapshots.newerId());
            if (named.source().equals(RangeAlgebra.WHOLE)) {
                return new Answer(this, named, Optional.empty());
            }
            var window = effort.wholeEvery()
                    .map(every -> round(known).window(snapshots.newer().sizeBytes(), every, now))
                    .orElse(new AuditRound.Window(0, 0));
            var scope = new AuditedRanges.Scope(effort.sampleCount(), window.fromBytes(), window.toBytes());
            var ranges = new AuditedRanges(named, snapshots.older(), snapshots.newer(), kernel, scope, random);
            return new Answer(this, ranges, Optional.of(new Audit(ranges, window, snapshots)));
        }

        private void mustBeOfThisEpoch(TrackingAudit known) throws ReplicationException {
            if (known.epoch() == epoch) {
                return;
            }
            throw new ReplicationException(known.distrust()
                    .map(found -> untrusted(volume, found))
                    .orElseGet(() -> new ReplicationError.LinkBusy(link, TRUSTED_AGAIN_RETRY)));
        }
    }

    /** Two snapshots of one volume, open. */
    record SnapshotReaders(SnapshotId olderId, SnapshotReader older, SnapshotId newerId, SnapshotReader newer) {}

    private record Audit(AuditedRanges ranges, AuditRound.Window window, SnapshotReaders snapshots) {}

    /** What changed between two snapshots, as far as its source is believed; {@link #verdict} once it has ended. */
    final class Answer {
        private final Transfer transfer;
        private final ChangedRanges ranges;
        private final Optional<Audit> audit;

        private Answer(Transfer transfer, ChangedRanges ranges, Optional<Audit> audit) {
            this.transfer = transfer;
            this.ranges = ranges;
            this.audit = audit;
        }

        ChangedRanges ranges() {
            return ranges;
        }

        /** Compared beside what was named, in each snapshot. */
        long auditedBytes() {
            return audit.map(made -> made.ranges().auditedBytes()).orElse(0L);
        }

        /**
         * To be asked when the ranges have ended, before anything of what was read is made to count.
         *
         * @throws ReplicationException TrackingUntrusted, when this audit or another one meanwhile has caught the source
         */
        void verdict() throws ReplicationException {
            if (audit.isEmpty()) {
                return;
            }
            var made = audit.get();
            var leftOut = made.ranges().leftOut();
            var now = clock.instant();
            var known = audits.change(transfer.volume, before -> {
                var audited = before.orElseGet(() -> TrackingAudit.begin(transfer.volume, now));
                return leftOut.isPresent() ? caught(audited, made, leftOut.get(), now) : covered(audited, made, now);
            });
            if (leftOut.isPresent()) {
                log.error(
                        "tracking.untrusted volume={} found={} changes are looked for in full from now on;"
                                + " verify the links of this volume",
                        transfer.volume,
                        known.distrust().orElseThrow());
            }
            transfer.mustBeOfThisEpoch(known);
        }

        private TrackingAudit caught(TrackingAudit before, Audit made, BlockRange leftOut, Instant now) {
            var found = new TrackingAudit.Distrust(
                    ranges.source(),
                    made.snapshots().olderId().recoveryPoint(),
                    made.snapshots().newerId().recoveryPoint(),
                    leftOut.offsetBytes(),
                    leftOut.lengthBytes(),
                    now);
            return new TrackingAudit(
                    transfer.volume,
                    0,
                    before.movedAt(),
                    before.roundStartedAt(),
                    before.epoch() + 1,
                    Optional.of(found));
        }

        /** Only while nobody has found anything: another link's audit may have ended first. */
        private TrackingAudit covered(TrackingAudit before, Audit made, Instant now) {
            if (before.epoch() != transfer.epoch || effort.wholeEvery().isEmpty()) {
                return before;
            }
            var covered = round(before).covered(made.window(), now);
            return new TrackingAudit(
                    transfer.volume,
                    covered.throughBytes(),
                    covered.movedAt(),
                    covered.startedAt(),
                    before.epoch(),
                    before.distrust());
        }
    }

    /** Whether the volume's source of changed ranges has not been caught leaving something out. */
    boolean believes(VolumeId volume) {
        return audits.find(volume).flatMap(TrackingAudit::distrust).isEmpty();
    }

    private static ReplicationError untrusted(VolumeId volume, TrackingAudit.Distrust found) {
        return new ReplicationError.TrackingUntrusted(volume, found.source(), found.offsetBytes(), found.lengthBytes());
    }

    private static AuditRound round(TrackingAudit audit) {
        return new AuditRound(audit.throughBytes(), audit.movedAt(), audit.roundStartedAt());
    }

    private static final class Forgetful implements TrackingAudits {
        @Override
        public Optional<TrackingAudit> find(VolumeId volume) {
            return Optional.empty();
        }

        @Override
        public TrackingAudit change(VolumeId volume, Function<Optional<TrackingAudit>, TrackingAudit> change) {
            return change.apply(Optional.empty());
        }

        @Override
        public void remove(VolumeId volume) {}

        @Override
        public int distrustedCount() {
            return 0;
        }

        @Override
        public void transferBegan(LinkId link, RecoveryPointId point, long epoch) {}

        @Override
        public OptionalLong transferEpoch(LinkId link, RecoveryPointId point) {
            return OptionalLong.of(0);
        }
    }
}

package io.tidemark.agent;

import io.tidemark.block.AuditRound;
import io.tidemark.block.AuditedRanges;
import io.tidemark.domain.TrackingAudit;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Believes a changed-range source as long as its audits find nothing. A source that left out one changed block is not
 * asked again: from then on both snapshots are compared in full, until an operator says that it may be trusted.
 */
public final class TrackingTrust {
    private static final Logger log = LoggerFactory.getLogger(TrackingTrust.class);

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
        var nothing = new TrackingAudits() {
            @Override
            public Optional<TrackingAudit> find(VolumeId volume) {
                return Optional.empty();
            }

            @Override
            public void save(TrackingAudit audit) {}

            @Override
            public void remove(VolumeId volume) {}

            @Override
            public int distrustedCount() {
                return 0;
            }
        };
        return new TrackingTrust(nothing, kernel, () -> Instant.EPOCH, () -> 0L, Effort.NONE);
    }

    public TrackingTrust(
            TrackingAudits audits, BlockKernel kernel, InstantSource clock, RandomGenerator random, Effort effort) {
        this.audits = audits;
        this.kernel = kernel;
        this.clock = clock;
        this.random = random;
        this.effort = effort;
    }

    /** What changed between two snapshots, as far as its source is believed; {@link #verdict} once it has ended. */
    final class Answer {
        private final ChangedRanges ranges;
        private final Optional<AuditedRanges> audited;
        private final TrackingAudit before;
        private final AuditRound.Window window;
        private final SnapshotId older;
        private final SnapshotId newer;

        private Answer(
                ChangedRanges ranges,
                Optional<AuditedRanges> audited,
                TrackingAudit before,
                AuditRound.Window window,
                SnapshotId older,
                SnapshotId newer) {
            this.ranges = ranges;
            this.audited = audited;
            this.before = before;
            this.window = window;
            this.older = older;
            this.newer = newer;
        }

        ChangedRanges ranges() {
            return ranges;
        }

        /** Compared beside what was named, in each snapshot. */
        long auditedBytes() {
            return audited.map(AuditedRanges::auditedBytes).orElse(0L);
        }

        /**
         * To be asked when the ranges have ended, before anything of what was read is made to count.
         *
         * @throws ReplicationException TrackingUntrusted; written down before it is thrown
         */
        void verdict() throws ReplicationException {
            if (audited.isEmpty()) {
                return;
            }
            var leftOut = audited.get().leftOut();
            if (leftOut.isPresent()) {
                throw distrust(leftOut.get());
            }
            if (effort.wholeEvery().isPresent()) {
                var now = clock.instant();
                var covered = round(before).covered(window, now);
                audits.save(new TrackingAudit(
                        before.volume(),
                        covered.throughBytes(),
                        covered.movedAt(),
                        covered.startedAt(),
                        before.distrust()));
            }
        }

        private ReplicationException distrust(BlockRange leftOut) {
            var found = new TrackingAudit.Distrust(
                    ranges.source(),
                    older.recoveryPoint(),
                    newer.recoveryPoint(),
                    leftOut.offsetBytes(),
                    leftOut.lengthBytes(),
                    clock.instant());
            audits.save(new TrackingAudit(
                    before.volume(), 0, before.movedAt(), before.roundStartedAt(), Optional.of(found)));
            log.error(
                    "tracking.untrusted volume={} source={} older={} newer={} offsetBytes={} lengthBytes={}"
                            + " changes are looked for in full from now on; verify the links of this volume",
                    before.volume(),
                    found.source(),
                    found.older(),
                    found.newer(),
                    found.offsetBytes(),
                    found.lengthBytes());
            return new ReplicationException(new ReplicationError.TrackingUntrusted(
                    before.volume(), found.source(), found.offsetBytes(), found.lengthBytes()));
        }
    }

    /** Opens what says which ranges may have changed. The readers stay the caller's. */
    Answer changes(StorageProvider provider, SnapshotReaders snapshots) throws ProviderException {
        var volume = snapshots.newerId().volume();
        var now = clock.instant();
        var known = audits.find(volume).orElseGet(() -> new TrackingAudit(volume, 0, now, now, Optional.empty()));
        boolean tracked = provider.volume(volume).can(Capability.CHANGED_RANGES);
        if (!tracked || known.distrust().isPresent()) {
            return unaudited(new WholeImage(snapshots.newer().sizeBytes()), known, snapshots);
        }
        var named = provider.changedRanges(snapshots.olderId(), snapshots.newerId());
        if (named.source().equals(WholeImage.SOURCE)) {
            return unaudited(named, known, snapshots);
        }
        var window = effort.wholeEvery()
                .map(every -> round(known).window(snapshots.newer().sizeBytes(), every, now))
                .orElse(new AuditRound.Window(0, 0));
        var audited = new AuditedRanges(
                named,
                snapshots.older(),
                snapshots.newer(),
                kernel,
                new AuditedRanges.Scope(effort.sampleCount(), window.fromBytes(), window.toBytes()),
                random);
        return new Answer(audited, Optional.of(audited), known, window, snapshots.olderId(), snapshots.newerId());
    }

    /** Whether the volume's source of changed ranges has not been caught leaving something out. */
    boolean believes(VolumeId volume) {
        return audits.find(volume).flatMap(TrackingAudit::distrust).isEmpty();
    }

    private Answer unaudited(ChangedRanges ranges, TrackingAudit known, SnapshotReaders snapshots) {
        var none = new AuditRound.Window(0, 0);
        return new Answer(ranges, Optional.empty(), known, none, snapshots.olderId(), snapshots.newerId());
    }

    /** Two snapshots of one volume, open. */
    record SnapshotReaders(SnapshotId olderId, SnapshotReader older, SnapshotId newerId, SnapshotReader newer) {}

    /**
     * Whether what an interrupted transfer of a recovery point left at the target may have been named by a source that
     * has been caught since: then it must be sent from the beginning.
     *
     * @param takenAt when the recovery point was taken
     */
    boolean mustStartAnew(VolumeId volume, Instant takenAt) {
        return audits.find(volume)
                .flatMap(TrackingAudit::distrust)
                .filter(distrust -> !takenAt.isAfter(distrust.foundAt()))
                .isPresent();
    }

    private static AuditRound round(TrackingAudit audit) {
        return new AuditRound(audit.throughBytes(), audit.movedAt(), audit.roundStartedAt());
    }
}

package io.tidemark.live;

import io.tidemark.control.port.LiveHost;
import io.tidemark.control.port.LiveHost.Aspect;
import io.tidemark.control.port.LiveHost.Change;
import io.tidemark.domain.LinkId;
import io.tidemark.replication.live.Generation;
import io.tidemark.replication.live.LiveStatus;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.LiveStatus.VerifyState;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What has changed of a link: each change is a line of the log, is counted, and is remembered for a while. It is told of
 * each status, which may come with each write: one that says nothing new costs some comparisons.
 */
final class LiveChanges {
    private static final Logger LOG = LoggerFactory.getLogger(LiveChanges.class);

    private final LinkId link;
    private final InstantSource clock;

    /** Guarded by this, as all below. */
    private @Nullable LiveStatus before;

    /** The last that was told of. */
    private @Nullable ReplicationState replication;

    private final Deque<Change> newest = new ArrayDeque<>();
    private final Map<Aspect, Long> counts = new EnumMap<>(Aspect.class);
    private long number;

    LiveChanges(LinkId link, InstantSource clock) {
        this.link = link;
        this.clock = clock;
    }

    /** One status after the other. */
    synchronized void changed(LiveStatus now) {
        var last = before;
        before = now;
        tell(Aspect.ROLE, last == null ? null : last.role(), now.role());
        tell(Aspect.DISK, last == null ? null : last.disk(), now.disk());
        replication(now.replication());
        if (now.isSplitBrain() && (last == null || !last.isSplitBrain())) {
            splitBrain(now);
        } else if (now.why().isPresent() && (last == null || !now.why().equals(last.why()))) {
            LOG.warn("live.stands_alone link={} reason=\"{}\"", link, now.why().get());
        }
        verify(last == null ? Optional.empty() : last.verify(), now.verify());
    }

    private void splitBrain(LiveStatus now) {
        var outcome = now.why()
                .orElseGet(() -> now.replication() == ReplicationState.SYNC_SOURCE
                        ? "this side's content stays, and the peer's is given up"
                        : "this side's content is given up, and kept as a recovery point");
        if (now.why().isPresent()) {
            LOG.error(
                    "live.split_brain link={} dirtyBlocks={} reason=\"{}\" advice=\"choose by live resolve\"",
                    link,
                    now.dirtyBlocks(),
                    outcome);
        } else {
            LOG.warn("live.split_brain link={} dirtyBlocks={} outcome=\"{}\"", link, now.dirtyBlocks(), outcome);
        }
        remember(Aspect.SPLIT_BRAIN, "", outcome);
    }

    /** A peer that stands alone is dialled every few seconds for ever: that it was met says nothing, what came of it does. */
    private void replication(ReplicationState now) {
        if (now == ReplicationState.MEETING) {
            LOG.debug("live.meeting link={} from={}", link, replication);
            return;
        }
        tell(Aspect.REPLICATION, replication, now);
        replication = now;
    }

    private void tell(Aspect aspect, @Nullable Enum<?> from, Enum<?> to) {
        if (from != to) {
            changed(aspect, from == null ? "" : from.name(), to.name());
        }
    }

    private void changed(Aspect aspect, String from, String to) {
        LOG.info("live.changed link={} what={} from={} to={}", link, aspect, from, to);
        remember(aspect, from, to);
    }

    private void verify(Optional<LiveStatus.Verify> last, Optional<LiveStatus.Verify> now) {
        boolean wasRunning =
                last.filter(each -> each.state() == VerifyState.RUNNING).isPresent();
        if (now.isEmpty() || now.get().state() == VerifyState.RUNNING || (!wasRunning && last.equals(now))) {
            return;
        }
        var ended = now.get();
        LOG.info(
                "live.verify_ended link={} state={} comparedBlocks={} outOfSyncBlocks={}",
                link,
                ended.state(),
                ended.comparedBlocks(),
                ended.outOfSyncBlocks());
        remember(
                Aspect.VERIFY,
                VerifyState.RUNNING.name(),
                "%s: %d blocks of %d differ".formatted(ended.state(), ended.outOfSyncBlocks(), ended.comparedBlocks()));
    }

    /** The content is of this generation, durably. */
    synchronized void begun(Optional<Generation> last, Generation now) {
        changed(Aspect.GENERATION, last.map(Generation::toString).orElse(""), now.toString());
    }

    private void remember(Aspect aspect, String from, String to) {
        counts.merge(aspect, 1L, Long::sum);
        newest.addLast(new Change(++number, clock.instant(), aspect, from, to));
        if (newest.size() > LiveHost.CHANGES_REMEMBERED) {
            newest.removeFirst();
        }
    }

    synchronized Map<Aspect, Long> counts() {
        return Map.copyOf(counts);
    }

    /** Oldest first. */
    synchronized List<Change> newest() {
        return List.copyOf(newest);
    }
}

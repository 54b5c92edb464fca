package io.tidemark.control;

import io.tidemark.control.port.LinkStore;
import io.tidemark.control.port.RecoveryPointStore;
import io.tidemark.domain.Ids;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.LinkState;
import io.tidemark.domain.Operation;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.policy.LinkSchedule;
import io.tidemark.spi.RecoveryPointId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes and sends a recovery point whenever a link is due; after a failure, first the one that was left unsent. One
 * run of a link at a time; when it is due is written down after each, so that a restart neither forgets a link nor
 * makes up for every run it missed.
 */
final class LinkScheduler {
    private static final Logger log = LoggerFactory.getLogger(LinkScheduler.class);
    /** Shortest interval of a link is 1 s; looking twice as often keeps its beat. */
    private static final Duration LOOK_EVERY = Duration.ofMillis(500);
    /** A run in the middle of its wait for an operation notices the interrupt at once. */
    private static final Duration STOP_WAIT = Duration.ofSeconds(5);

    /**
     * A point that could not be sent is sent again instead of freezing the applications for another; after this many
     * failures in a row a fresh one is taken all the same, in case it is the point that cannot be read.
     */
    private static final int TRIES_OF_ONE_POINT = 8;
    /** A link without a date is being made: longer than telling its peer takes, or is given up after. */
    static final Duration MAKING_LIMIT = Duration.ofSeconds(60);

    private final ControlPorts.Stores stores;
    private final Inventory inventory;
    private final LinkStore links;
    private final RecoveryPointStore points;
    private final CreateRecoveryPoint createRecoveryPoint;
    private final SyncLink syncLink;
    private final Operations operations;
    private final Ids ids;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final Set<LinkId> running = ConcurrentHashMap.newKeySet();
    private volatile boolean stopped;
    private @Nullable Thread thread;

    /** What it has done. */
    record Cases(CreateRecoveryPoint createRecoveryPoint, SyncLink syncLink, Operations operations) {}

    LinkScheduler(ControlPorts ports, Inventory inventory, Cases cases) {
        this.stores = ports.stores();
        this.inventory = inventory;
        this.links = ports.stores().links();
        this.points = ports.stores().recoveryPoints();
        this.createRecoveryPoint = cases.createRecoveryPoint();
        this.syncLink = cases.syncLink();
        this.operations = cases.operations();
        this.ids = ports.ids();
        this.clock = ports.clock();
        this.random = ports.random();
    }

    synchronized void start() {
        thread = Thread.ofVirtual().name("link-scheduler").start(this::loop);
    }

    private void loop() {
        while (!stopped) {
            try {
                startDue();
                Thread.sleep(LOOK_EVERY);
            } catch (InterruptedException stop) {
                return;
            } catch (RuntimeException failure) {
                log.error("link_scheduler.look_failed", failure);
                if (!pause()) {
                    return;
                }
            }
        }
    }

    private static boolean pause() {
        try {
            Thread.sleep(LOOK_EVERY);
            return true;
        } catch (InterruptedException stop) {
            return false;
        }
    }

    /** One look: starts a run of every link that is due and not running. */
    void startDue() {
        var now = clock.instant();
        for (var link : links.all()) {
            boolean sends = link.role() == ReplicationLink.Role.SOURCE && link.state() == LinkState.ACTIVE;
            if (!sends) {
                continue;
            }
            if (link.onArrival()) {
                startArrived(link, now);
            }
            if (link.every().isEmpty()) {
                continue;
            }
            var written = links.due(link.id());
            if (written.isEmpty()) {
                links.saveDue(new LinkStore.Due(link.id(), now.plus(MAKING_LIMIT), 0));
                continue;
            }
            var due = written.orElseThrow();
            if (!due.dueAt().isAfter(now) && running.add(link.id())) {
                Thread.ofVirtual().name("scheduled-" + link.id()).start(() -> run(link, written));
            }
        }
    }

    /** What came over another link is sent on at once; after a failure, when its wait is over. */
    private void startArrived(ReplicationLink link, Instant now) {
        var written = links.due(link.id());
        var due = written.orElse(new LinkStore.Due(link.id(), now, 0));
        boolean waits = due.failures() > 0 && due.dueAt().isAfter(now);
        if (!waits && arrived(link).isPresent() && running.add(link.id())) {
            Thread.ofVirtual().name("arrived-" + link.id()).start(() -> run(link, written));
        }
    }

    /** The newest that the volume received, when the peer is not known to have it. */
    private Optional<RecoveryPointId> arrived(ReplicationLink link) {
        return inventory.receivesToo(link)
                ? points.newestReceived(link.localVolume())
                        .filter(id -> link.inStep().filter(id::equals).isEmpty())
                : Optional.empty();
    }

    /** @param written when the link was due as its run began; whoever has written another meanwhile has the last word */
    private void run(ReplicationLink link, Optional<LinkStore.Due> written) {
        try {
            var due = written.orElseGet(() -> new LinkStore.Due(link.id(), clock.instant(), 0));
            var failure = takeAndSend(link, due.failures());
            var end = clock.instant();
            links.moveDue(
                    link.id(), written, now -> failure.isEmpty() ? succeeded(now, due, end) : failed(now, due, end));
            failure.ifPresent(reason ->
                    log.warn("link.run_failed link={} failures={} reason={}", link.id(), due.failures() + 1, reason));
        } catch (InterruptedException stop) {
            log.debug("link.run_left link={}", link.id());
        } catch (RuntimeException failure) {
            log.error("link.run_broken link={}", link.id(), failure);
        } finally {
            running.remove(link.id());
        }
    }

    /** The reason why it failed. */
    private Optional<String> takeAndSend(ReplicationLink link, int failures) throws InterruptedException {
        try {
            if (inventory.receivesToo(link)) {
                // Only the link that brings it may add recovery points to the volume: it would look written otherwise.
                var arrived = arrived(link);
                return arrived.isPresent() ? send(link, arrived) : Optional.empty();
            }
            if (failures % TRIES_OF_ONE_POINT != 0) {
                var kept = notYetSent(link);
                var failure = kept.isPresent() ? send(link, kept) : Optional.<String>empty();
                if (failure.isPresent()) {
                    return failure;
                }
            }
            var taken = operations.await(
                    createRecoveryPoint.start(link.group(), newIntent()).id());
            if (taken.state() != Operation.State.SUCCEEDED) {
                return Optional.of("recovery point operation %s ended %s".formatted(taken.id(), taken.state()));
            }
            return send(link, Optional.empty());
        } catch (ControlException failure) {
            return Optional.of(failure.error().message());
        }
    }

    /** The newest recovery point of its group, when the peer is not known to have it. */
    private Optional<RecoveryPointId> notYetSent(ReplicationLink link) {
        return SyncLink.newest(stores, link)
                .map(RecoveryPoint::id)
                .filter(id -> link.inStep().filter(id::equals).isEmpty());
    }

    /** The reason why it failed. */
    private Optional<String> send(ReplicationLink link, Optional<RecoveryPointId> point)
            throws ControlException, InterruptedException {
        var sent =
                operations.await(syncLink.start(link.id(), point, newIntent()).id());
        return sent.state() == Operation.State.SUCCEEDED
                ? Optional.empty()
                : Optional.of("sync operation %s ended %s".formatted(sent.id(), sent.state()));
    }

    private Intent newIntent() {
        String operation = ids.operation().value();
        return new Intent(operation.substring(operation.indexOf('-') + 1), false);
    }

    private static LinkStore.Due succeeded(ReplicationLink link, LinkStore.Due due, Instant now) {
        var next = link.every().map(every -> LinkSchedule.nextDue(due.dueAt(), every, now));
        return new LinkStore.Due(link.id(), next.orElse(now), 0);
    }

    private LinkStore.Due failed(ReplicationLink link, LinkStore.Due due, Instant now) {
        int failures = due.failures() + 1;
        var longest = link.every().orElse(LinkSchedule.BACKOFF_MAXIMUM);
        return new LinkStore.Due(link.id(), LinkSchedule.retryAt(failures, longest, now, random), failures);
    }

    /** No run begins any more; those that wait for an operation are left to it. */
    synchronized void stop() throws InterruptedException {
        stopped = true;
        if (thread != null) {
            thread.interrupt();
            thread.join(STOP_WAIT);
        }
    }
}

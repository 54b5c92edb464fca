package io.tidemark.consistency.mongodb;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.domain.Certificate;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A server that is asked to have its journal written, then is let be: there is nothing to undo. What is proved
 * afterwards is that the process that wrote its journal is the one whose files were cut, in the same role.
 */
final class MongoDbFrozen implements Frozen {
    /** Writes out all there is, journal included, and holds nobody. Source: MongoDB manual, "fsync", without lock. */
    static final String CHECKPOINT = "fsync";

    private static final String JOURNALED = "optimes.durableOpTime";
    private static final String APPLIED = "optimes.appliedOpTime";
    /** The server writes its journal every 100 ms, or sooner where a writer waits for it. */
    private static final long ASK_EVERY_MILLIS = 5;
    /** What an answer may take at least, on a busy host; in less none is asked for. */
    private static final Duration ANSWER_MINIMUM = Duration.ofMillis(50);

    private final MongoDbSession session;
    private final MongoDbSettings settings;
    private final MongoDbFailures failures;
    private final ServerDescription server;
    private final Map<String, String> facts = new LinkedHashMap<>();
    private @Nullable Hold hold;
    private @Nullable Release release;

    private record Hold(long requestedNanos, long acknowledgedNanos) {}

    /** What is left of a time that several answers share. */
    private record Budget(long startedNanos, Duration limit) {
        Duration left() {
            return limit.minusNanos(System.nanoTime() - startedNanos);
        }

        /** Whether what is left is too short for another answer. */
        boolean isSpent() {
            var answer = limit.dividedBy(4);
            return left().compareTo(answer.compareTo(ANSWER_MINIMUM) < 0 ? answer : ANSWER_MINIMUM) < 0;
        }
    }

    MongoDbFrozen(
            MongoDbSession session, MongoDbSettings settings, MongoDbFailures failures, ServerDescription server) {
        this.session = session;
        this.settings = settings;
        this.failures = failures;
        this.server = server;
        facts.put("version", server.version());
        facts.put("role", server.role());
        if (server.member().isPresent()) {
            facts.put("replicaSet", server.setName());
        }
    }

    @Override
    public void hold(Duration limit) throws ConsistencyException {
        if (release != null || hold != null) {
            throw new IllegalStateException("it is held once, before it is thawed");
        }
        long requested = System.nanoTime();
        var budget = new Budget(requested, Frozen.holdingLimit(limit));
        try {
            if (server.member().isPresent()) {
                facts.put("journaledUntil", awaitJournal(budget).toString());
            } else {
                var unused = session.ask(CHECKPOINT, budget.left());
                facts.put("journaledBy", CHECKPOINT);
            }
            // After it, not before: a server that was another one by then has not journaled what the first
            // acknowledged.
            var changed = changed(budget.left());
            if (changed.isPresent()) {
                throw failures.of(changed.get());
            }
        } catch (IOException e) {
            throw failures.of(e);
        }
        facts.put("holds", "all that was journaled before the cut, and all that was acknowledged before the hold");
        hold = new Hold(requested, System.nanoTime());
    }

    /**
     * Waits until the journal has what was acknowledged when it was first asked. Whatever a member acknowledges has a
     * place in the log of operations that is not after {@code appliedOpTime}. Source: MongoDB manual,
     * "replSetGetStatus", optimes; MongoDB's source, ReplicationCoordinatorExternalStateImpl::onDurable, by which {@code
     * durableOpTime} is set once the journal was synced.
     */
    private OpTime awaitJournal(Budget budget) throws ConsistencyException, IOException {
        var status = session.ask("replSetGetStatus", budget.left());
        var wanted = told(status, APPLIED);
        while (true) {
            var journaled = told(status, JOURNALED);
            if (journaled.compareTo(wanted) >= 0) {
                return journaled;
            }
            pause();
            if (budget.isSpent()) {
                throw failures.of(
                        "its journal was not written within %d ms, half of the freeze limit: it has %s, and not %s"
                                .formatted(budget.limit().toMillis(), journaled, wanted));
            }
            status = session.ask("replSetGetStatus", budget.left());
        }
    }

    private OpTime told(Answer status, String name) throws ConsistencyException {
        return status.opTime(name)
                .orElseThrow(
                        () -> failures.of("server does not tell %s, by which its journal is known".formatted(name)));
    }

    private void pause() throws ConsistencyException {
        try {
            TimeUnit.MILLISECONDS.sleep(ASK_EVERY_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failures.of("waiting for its journal was interrupted");
        }
    }

    private Optional<String> changed(Duration limit) throws IOException {
        return changed(session, server, limit);
    }

    /** What shows that it is not the server it was when it was frozen, as a phrase; empty where nothing does. */
    static Optional<String> changed(MongoDbSession session, ServerDescription server, Duration limit)
            throws IOException {
        var now = ServerDescription.unchangedSince(session.ask("hello", limit));
        return now.equals(server.unchangedSince())
                ? Optional.empty()
                : Optional.of(
                        "server was started again, or its role or its replica set changed: its topologyVersion was"
                                + " %s, and is %s".formatted(server.unchangedSince(), now));
    }

    @Override
    public boolean heldUntilNow() {
        return release == null && hold != null && changedOrUnknown().isEmpty();
    }

    private Optional<String> changedOrUnknown() {
        var budget = new Budget(System.nanoTime(), settings.answerLimit());
        try {
            return changed(budget.left());
        } catch (IOException lost) {
            // A connection that was lost says nothing of the process behind it: on another one it tells.
            return budget.isSpent() ? Optional.of(MongoDbFailures.reason(lost)) : changedOrSilent(budget.left());
        }
    }

    private Optional<String> changedOrSilent(Duration limit) {
        try {
            return changed(limit);
        } catch (IOException e) {
            // Whatever the reason, a server that does not answer proves nothing.
            return Optional.of(MongoDbFailures.reason(e));
        }
    }

    @Override
    public Release thaw() {
        if (release == null) {
            try {
                var held = hold;
                release = held == null ? Release.NOTHING : end(held);
            } finally {
                session.close();
            }
        }
        return release;
    }

    private Release end(Hold held) {
        long thawed = System.nanoTime();
        var changed = changedOrUnknown();
        changed.ifPresent(reason -> facts.put("notHeldBecause", reason));
        return new Release(
                List.of(new Certificate.Freeze(
                        MongoDbSettings.KIND,
                        failures.subject(),
                        held.requestedNanos(),
                        held.acknowledgedNanos(),
                        thawed,
                        System.nanoTime(),
                        changed.isEmpty(),
                        facts)),
                Map.of());
    }
}

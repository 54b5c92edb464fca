package io.tidemark.consistency.mongodb;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.domain.Certificate;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Whether the chunks of a sharded cluster rest, as one of its mongos tells: a chunk that moves is on two shards, or in part
 * on either. A chunk that somebody moves by hand is no work of the balancer, and is not told. Source: MongoDB manual,
 * "balancerStatus".
 */
final class Balancer {
    private static final String FACT = "balancer";

    private final MongoDbSettings router;
    private final MongoDbFailures failures;

    /** @param router how to reach the mongos */
    Balancer(MongoDbSettings router, MongoDbFailures failures) {
        this.router = router;
        this.failures = failures;
    }

    /** @param rounds that it has made since the config servers were started */
    private record Rest(long rounds) {}

    /** @throws ConsistencyException where it does not rest, or that cannot be known */
    void requireRest() throws ConsistencyException {
        var unused = rest();
    }

    private Rest rest() throws ConsistencyException {
        try (var session = MongoDbSession.open(router)) {
            if (!session.ask("hello").text("msg").equals("isdbgrid")) {
                throw failures.of("router %s is no mongos".formatted(router.subject()));
            }
            var status = session.ask("balancerStatus");
            if (!status.text("mode").equals("off") || !status.no("inBalancerRound")) {
                throw failures.of(
                        "the balancer of its cluster does not rest (mode %s, in a round: %s): sh.stopBalancer() on mongos %s, which"
                                        .formatted(
                                                status.text("mode"),
                                                status.printed("inBalancerRound"),
                                                router.subject())
                                + " waits for the round's end; sh.startBalancer() afterwards");
            }
            return new Rest(status.number("numBalancerRounds"));
        } catch (IOException e) {
            throw failures.of("mongos %s: %s".formatted(router.subject(), MongoDbFailures.reason(e)));
        }
    }

    private Optional<String> movedSince(Rest before) {
        try {
            return rest().equals(before)
                    ? Optional.empty()
                    : Optional.of("the balancer has made a round, or the config servers have another primary");
        } catch (ConsistencyException e) {
            return Optional.of(e.error().message());
        }
    }

    /** What is frozen, held only if the balancer rests from now until after the thaw. */
    interface Freezing {
        Frozen freeze() throws ConsistencyException;
    }

    Frozen whileItRests(Freezing freezing) throws ConsistencyException {
        var before = rest();
        return new Resting(freezing.freeze(), before);
    }

    private final class Resting implements Frozen {
        private final Frozen frozen;
        private final Rest before;
        private @Nullable Release release;

        Resting(Frozen frozen, Rest before) {
            this.frozen = frozen;
            this.before = before;
        }

        @Override
        public void hold(Duration limit) throws ConsistencyException {
            frozen.hold(limit);
        }

        @Override
        public boolean heldUntilNow() {
            return frozen.heldUntilNow();
        }

        /** Writers first: the mongos is asked once nobody waits any more. */
        @Override
        public Release thaw() {
            if (release == null) {
                var thawed = frozen.thaw();
                var moved = thawed.freezes().isEmpty() ? Optional.<String>empty() : movedSince(before);
                var told = new Release(
                        thawed.freezes().stream()
                                .map(freeze -> with(freeze, moved.orElse("rested")))
                                .toList(),
                        thawed.evidence());
                release = moved.isEmpty() ? told : told.notHeld();
            }
            return release;
        }

        private static Certificate.Freeze with(Certificate.Freeze freeze, String fact) {
            Map<String, String> facts = new HashMap<>(freeze.facts());
            facts.put(FACT, fact);
            return new Certificate.Freeze(
                    freeze.kind(),
                    freeze.subject(),
                    freeze.requestedNanos(),
                    freeze.acknowledgedNanos(),
                    freeze.thawedNanos(),
                    freeze.releasedNanos(),
                    freeze.heldUntilThaw(),
                    facts);
        }
    }
}

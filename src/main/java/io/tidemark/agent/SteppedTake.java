package io.tidemark.agent;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.domain.Certificate;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.Operation;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.RecoveryPointId;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * This host's part in a recovery point over several: {@link LocalRecoveryPointTaker} on a thread of its own, which waits
 * at each rendezvous until it is told to go on.
 */
public final class SteppedTake implements HostTake {
    private static final int MARK_BYTES = 16;
    public static final Duration PREPARE_LIMIT = Rendezvous.READY_LIMIT;
    /** Beyond the freeze limit, for what follows the thaw: asking applications, signing, deleting after a failure. */
    public static final Duration AFTER_THAW = Duration.ofSeconds(60);

    private final LocalRecoveryPointTaker taker;
    private final RecoveryPointId id;
    private final ConsistencyGroup group;
    private final Marks marks;
    private final BlockingQueue<Go> goes = new ArrayBlockingQueue<>(4);
    private final BlockingQueue<Outcome> outcomes = new ArrayBlockingQueue<>(4);
    private final Listener listener = new Listener();
    private @Nullable Thread thread;

    /** Drawn before anything is frozen, told when it is. */
    private record Marks(String agent, String frozen, String cut) {}

    /** @param told the marks of all hosts; empty where nothing has to be told */
    private record Go(Map<String, String> told) {}

    /** What a step came to. */
    private sealed interface Outcome {
        record Reached(String mark) implements Outcome {}

        record Taken(RecoveryPoint point) implements Outcome {}

        record Failed(ConsistencyException failure) implements Outcome {}
    }

    /**
     * @param agent the name of this host among the others
     * @param random must be unpredictable: who knows a mark was told it
     */
    public SteppedTake(
            LocalRecoveryPointTaker taker,
            RecoveryPointId id,
            ConsistencyGroup group,
            String agent,
            RandomGenerator random) {
        this.taker = taker;
        this.id = id;
        this.group = group;
        this.marks = new Marks(agent, mark(random), mark(random));
    }

    private static String mark(RandomGenerator random) {
        byte[] bytes = new byte[MARK_BYTES];
        random.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    @Override
    public void prepare() throws ConsistencyException {
        if (thread != null) {
            throw new IllegalStateException("recovery point %s was begun already".formatted(id));
        }
        thread = Thread.ofPlatform().name("tidemark-take").daemon().start(this::take);
        reached(Rendezvous.READY_LIMIT);
    }

    @Override
    public void writeOut() throws ConsistencyException {
        goes.add(new Go(Map.of()));
        reached(Rendezvous.READY_LIMIT);
    }

    @Override
    public String freeze() throws ConsistencyException {
        goes.add(new Go(Map.of()));
        return reached(group.freezeLimit().plus(AFTER_THAW));
    }

    @Override
    public String cut(Map<String, String> frozen) throws ConsistencyException {
        goes.add(new Go(frozen));
        return reached(group.freezeLimit().plus(AFTER_THAW));
    }

    @Override
    public RecoveryPoint finish(Map<String, String> cut) throws ConsistencyException {
        goes.add(new Go(cut));
        return switch (outcome(group.freezeLimit().plus(AFTER_THAW))) {
            case Outcome.Taken(var point) -> point;
            case Outcome.Failed(var failure) -> throw failure;
            case Outcome.Reached _ -> throw new IllegalStateException("asked to finish before it had cut");
        };
    }

    private String reached(Duration limit) throws ConsistencyException {
        return switch (outcome(limit)) {
            case Outcome.Reached(var mark) -> mark;
            case Outcome.Failed(var failure) -> throw failure;
            case Outcome.Taken _ -> throw new IllegalStateException("taken before the last step");
        };
    }

    private Outcome outcome(Duration limit) throws ConsistencyException {
        try {
            var outcome = outcomes.poll(limit.toNanos(), TimeUnit.NANOSECONDS);
            if (outcome == null) {
                listener.ended = true;
                throw apart("it was not as far within %d ms".formatted(limit.toMillis()));
            }
            return outcome;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            listener.ended = true;
            throw new ConsistencyException(new ConsistencyError.Cancelled(id), e);
        }
    }

    private ConsistencyException apart(String reason) {
        return new ConsistencyException(new ConsistencyError.NotTogether("%s: %s".formatted(marks.agent(), reason)));
    }

    private void take() {
        Outcome outcome;
        try {
            var plan = taker.plan(id, group);
            outcome = new Outcome.Taken(taker.take(plan, listener, new Waiting()));
        } catch (ConsistencyException e) {
            outcome = new Outcome.Failed(e);
        } catch (RuntimeException | Error e) {
            outcome = new Outcome.Failed(
                    new ConsistencyException(new ConsistencyError.NotTogether(marks.agent() + ": " + e), e));
        }
        outcomes.add(outcome);
    }

    @Override
    public void close() {
        listener.ended = true;
        var started = thread;
        if (started == null) {
            return;
        }
        try {
            // Whoever waits at a rendezvous looks at it often; what is frozen ends with the freeze limit in any case.
            started.join(group.freezeLimit().plus(AFTER_THAW));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Says that it is cancelled once the part has ended. */
    private static final class Listener implements ProgressListener {
        private volatile boolean ended;

        @Override
        public void progress(Operation.Progress progress) {
            // The operation is the coordinator's.
        }

        @Override
        public boolean cancelled() {
            return ended;
        }
    }

    /** This host's side of the rendezvous, on the thread that takes. */
    private final class Waiting implements Rendezvous {
        private static final long LOOK_NANOS = 20_000_000;

        private long untilNanos;
        private Map<String, String> frozenBefore = Map.of();
        private Map<String, String> cutBefore = Map.of();

        @Override
        public void prepared() throws ConsistencyException {
            untilNanos = System.nanoTime() + READY_LIMIT.toNanos();
            arrive("", "be told to write out");
        }

        @Override
        public void ready() throws ConsistencyException {
            arrive("", "be told to freeze");
            untilNanos = System.nanoTime() + group.freezeLimit().toNanos();
        }

        @Override
        public void frozen() throws ConsistencyException {
            frozenBefore = arrive(marks.frozen(), "hear that all hosts were frozen");
        }

        @Override
        public void cut() throws ConsistencyException {
            cutBefore = arrive(marks.cut(), "hear that all hosts were cut");
        }

        @Override
        public Optional<Certificate.Order> order() {
            return Optional.of(
                    new Certificate.Order(marks.agent(), marks.frozen(), marks.cut(), frozenBefore, cutBefore));
        }

        private Map<String, String> arrive(String mark, String wanted) throws ConsistencyException {
            outcomes.add(new Outcome.Reached(mark));
            try {
                while (!listener.ended) {
                    long left = untilNanos - System.nanoTime();
                    if (left <= 0) {
                        throw apart("its time was over before it could " + wanted);
                    }
                    var go = goes.poll(Math.min(left, LOOK_NANOS), TimeUnit.NANOSECONDS);
                    if (go != null) {
                        return go.told();
                    }
                }
                throw apart("it was ended before it could " + wanted);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ConsistencyException(new ConsistencyError.Cancelled(id), e);
            }
        }
    }
}

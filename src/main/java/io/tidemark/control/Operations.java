package io.tidemark.control;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.control.document.Json;
import io.tidemark.control.port.OperationStore;
import io.tidemark.control.port.Page;
import io.tidemark.control.port.StateException;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Operation;
import io.tidemark.domain.OperationId;
import io.tidemark.spi.RecoveryPointId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs operations: each is written down before it acts, then runs on a virtual thread of its own behind its claims and
 * a limit on how many run at once. What a process leaves unfinished the next one finishes or undoes, by its kind.
 */
public final class Operations {
    private static final Logger log = LoggerFactory.getLogger(Operations.class);

    /** Step of an operation that has not begun. */
    private static final String RECORDED = "recorded";

    private final OperationStore store;
    private final Map<String, OperationKind> kinds;
    private final ProblemWriter problems;
    private final Observer observer;
    private final Moments moments;
    private final InstantSource clock;
    private final OperationSettings settings;
    private final Claims claims;
    private final Slots slots;
    private final AtomicInteger waiting = new AtomicInteger();
    private final Map<OperationId, LiveOperation> live = new ConcurrentHashMap<>();
    /** Of this process; no more than were live when the store began to refuse, for it then takes no new one either. */
    private final Map<OperationId, Operation> endedUnwritten = new ConcurrentHashMap<>();

    private volatile boolean stopping;
    private volatile boolean leaving;

    Operations(
            OperationStore store,
            List<OperationKind> kinds,
            Claims claims,
            ControlPorts ports,
            OperationSettings settings) {
        this.store = store;
        this.kinds = kinds.stream().collect(Collectors.toUnmodifiableMap(OperationKind::name, kind -> kind));
        this.problems = ports.problems();
        this.observer = ports.observer();
        this.moments = ports.moments();
        this.clock = ports.clock();
        this.settings = settings;
        this.claims = claims;
        this.slots = new Slots(settings.concurrentMaximum());
    }

    /**
     * What is asked to be done.
     *
     * @param makes id that everything it makes on the storage carries
     */
    record Request(OperationId id, String kind, String subject, ObjectNode request, Optional<RecoveryPointId> makes) {}

    /** Writes the operation down and starts it. Asking again with an id that is known answers that operation. */
    Operation start(Request request) throws ControlException {
        if (stopping) {
            throw new ControlException(new ControlError.Stopping());
        }
        var known = find(request.id());
        if (known.isPresent()) {
            return known.orElseThrow();
        }
        if (waiting.incrementAndGet() > OperationSettings.WAITING_MAXIMUM) {
            waiting.decrementAndGet();
            throw new ControlException(new ControlError.TooManyOperations(
                    OperationSettings.WAITING_MAXIMUM, OperationSettings.RETRY_AFTER));
        }
        var now = now();
        var operation = new Operation(
                request.id(),
                request.kind(),
                request.subject(),
                Operation.State.PENDING,
                Json.write(request.request()),
                RECORDED,
                Operation.Progress.NONE,
                Optional.empty(),
                Optional.empty(),
                now,
                now);
        boolean launched = false;
        try {
            store.add(operation, request.makes());
            moments.reached(Moment.OPERATION_RECORDED);
            launch(operation);
            launched = true;
        } finally {
            if (!launched) {
                waiting.decrementAndGet();
            }
        }
        return operation;
    }

    private void launch(Operation operation) {
        var entry = new LiveOperation(operation);
        live.put(operation.id(), entry);
        observer.operationStarted(operation.kind());
        log.info(
                "operation.started operation={} kind={} subject={}",
                operation.id(),
                operation.kind(),
                operation.subject());
        Thread.ofVirtual().name("operation-" + operation.id()).start(() -> run(entry));
    }

    private void run(LiveOperation entry) {
        var operation = entry.current();
        var kind = kind(operation);
        var request = Json.object(operation.requestJson());
        boolean counted = true;
        var place = new LanePlace(slots, waiting);
        try {
            // Asked before the wait begins: an interrupt meant for the wait must not hit the database.
            var wanted = kind.claims(request);
            var lane = kind.lane(request);
            boolean turn = entry.beginWaiting();
            if (turn) {
                claims.acquire(operation.id().value(), wanted);
                place.take(lane);
            }
            entry.endWaiting();
            waiting.decrementAndGet();
            counted = false;
            if (!turn || entry.cancelRequested()) {
                throw new ControlException(new ControlError.Cancelled(operation.id()));
            }
            store.update(entry.change(
                    before -> with(before, Operation.State.RUNNING, firstStep(before), before.progress())));
            var result = Optional.of(Json.write(kind.carryOut(request, new Inside(entry, place))));
            end(entry, Operation.State.SUCCEEDED, result, Optional.empty());
        } catch (Throwable failure) {
            entry.endWaiting();
            fail(entry, failure instanceof InterruptedException ? cancelled(operation) : failure);
        } finally {
            if (counted) {
                waiting.decrementAndGet();
            }
            place.leave();
            claims.release(operation.id().value());
            live.remove(operation.id());
        }
    }

    /** One that goes on after a restart keeps the step that its last life had reached. */
    private static String firstStep(Operation operation) {
        return operation.step().equals(RECORDED) ? "started" : operation.step();
    }

    private static ControlException cancelled(Operation operation) {
        return new ControlException(new ControlError.Cancelled(operation.id()));
    }

    private void fail(LiveOperation entry, Throwable failure) {
        var operation = entry.current();
        if (leaving || (stopping && WantedEnd.isStopping(failure))) {
            log.info(
                    "operation.left operation={} kind={} the next start goes on with it",
                    operation.id(),
                    operation.kind());
            return;
        }
        boolean asked = entry.cancelRequested() && WantedEnd.isCancelled(failure);
        if (failure instanceof RuntimeException || failure instanceof Error) {
            log.error("operation.broken operation={} kind={}", operation.id(), operation.kind(), failure);
        }
        var ended = ended(
                operation,
                asked ? Operation.State.CANCELLED : Operation.State.FAILED,
                Optional.empty(),
                Optional.of(problems.problemJson(failure)));
        try {
            end(entry, ended);
        } catch (StateException unwritten) {
            // Whoever waits for the end must hear of it, also those that ask only now.
            endedUnwritten.put(operation.id(), ended);
            entry.change(ignored -> ended);
            log.error(
                    "operation.end_unwritten operation={} kind={} the next start decides about it",
                    operation.id(),
                    operation.kind(),
                    unwritten);
        }
    }

    private void end(LiveOperation entry, Operation.State state, Optional<String> result, Optional<String> problem) {
        end(entry, ended(entry.current(), state, result, problem));
    }

    private Operation ended(
            Operation before, Operation.State state, Optional<String> result, Optional<String> problem) {
        return new Operation(
                before.id(),
                before.kind(),
                before.subject(),
                state,
                before.requestJson(),
                "ended",
                before.progress(),
                result,
                problem,
                before.createdAt(),
                now());
    }

    private void end(LiveOperation entry, Operation ended) {
        store.update(ended);
        // Whoever hears of the end may ask for the next thing at once.
        claims.release(ended.id().value());
        entry.change(ignored -> ended);
        var took = Duration.between(ended.createdAt(), ended.updatedAt());
        observer.operationEnded(ended, took);
        log.info(
                "operation.ended operation={} kind={} subject={} state={} tookMillis={}{}",
                ended.id(),
                ended.kind(),
                ended.subject(),
                ended.state(),
                took.toMillis(),
                ended.problemJson().map(text -> " problem=" + text).orElse(""));
    }

    private Operation with(Operation before, Operation.State state, String step, Operation.Progress progress) {
        return new Operation(
                before.id(),
                before.kind(),
                before.subject(),
                state,
                before.requestJson(),
                step,
                progress,
                before.resultJson(),
                before.problemJson(),
                before.createdAt(),
                now());
    }

    private final class Inside implements OperationKind.Running {
        private final LiveOperation entry;
        private final LanePlace place;

        Inside(LiveOperation entry, LanePlace place) {
            this.entry = entry;
            this.place = place;
        }

        @Override
        public Operation operation() {
            return entry.current();
        }

        @Override
        public void step(String name) {
            store.update(entry.change(before -> with(before, before.state(), name, before.progress())));
        }

        @Override
        public void progress(Operation.Progress progress) {
            entry.change(before -> with(before, before.state(), before.step(), progress));
            entry.progressToWrite(clock.instant()).ifPresent(store::update);
        }

        @Override
        public void leaveLane() {
            place.leave();
        }

        @Override
        public void enterLane() throws ControlException, InterruptedException {
            place.takeAgain(entry);
        }

        @Override
        public boolean stopping() {
            return stopping;
        }

        @Override
        public boolean cancelled() {
            return leaving || entry.cancelRequested();
        }
    }

    /** Finishes, undoes or starts again what the last process left; call before anything new is started. */
    void recover() {
        for (var operation : store.unfinished()) {
            try {
                recover(operation);
            } catch (Exception failure) {
                log.error(
                        "operation.recovery_failed operation={} kind={} its leftovers are looked for at every start",
                        operation.id(),
                        operation.kind(),
                        failure);
                end(
                        new LiveOperation(operation),
                        Operation.State.FAILED,
                        Optional.empty(),
                        Optional.of(problems.problemJson(failure)));
            }
        }
    }

    /** Forgets what ended long ago; call after the sweep, which knows leftovers by the operation that made them. */
    void forgetOld() {
        int forgotten = store.forgetEndedBefore(now().minus(OperationSettings.HISTORY));
        log.debug("operations.forgotten count={}", forgotten);
    }

    private void recover(Operation operation) throws Exception {
        var decision = kind(operation).resume(operation, Json.object(operation.requestJson()));
        switch (decision) {
            case OperationKind.Resumption.Finished(var result) ->
                end(
                        new LiveOperation(operation),
                        Operation.State.SUCCEEDED,
                        Optional.of(Json.write(result)),
                        Optional.empty());
            case OperationKind.Resumption.Undone() -> {
                var interrupted = new ControlException(new ControlError.Interrupted(operation.id(), operation.kind()));
                end(
                        new LiveOperation(operation),
                        Operation.State.FAILED,
                        Optional.empty(),
                        Optional.of(problems.problemJson(interrupted)));
            }
            case OperationKind.Resumption.Again() -> {
                log.info(
                        "operation.resumed operation={} kind={} step={}",
                        operation.id(),
                        operation.kind(),
                        operation.step());
                waiting.incrementAndGet();
                launch(operation);
            }
        }
    }

    private OperationKind kind(Operation operation) {
        var kind = kinds.get(operation.kind());
        if (kind == null) {
            throw new IllegalStateException(
                    "operation %s is of the unknown kind %s".formatted(operation.id(), operation.kind()));
        }
        return kind;
    }

    /** The newest value, with progress that may not be in the database yet. */
    public Operation get(OperationId id) throws ControlException {
        return find(id).orElseThrow(() -> new ControlException(new ControlError.NotFound("operation", id.value())));
    }

    private Optional<Operation> find(OperationId id) {
        var entry = live.get(id);
        if (entry != null) {
            return Optional.of(entry.current());
        }
        var unwritten = endedUnwritten.get(id);
        return unwritten == null ? store.find(id) : Optional.of(unwritten);
    }

    public Page<Operation> page(
            Optional<String> kind, Optional<Operation.State> state, OptionalLong before, int limit) {
        return store.page(kind, state, before, limit);
    }

    /** Asks it to stop; it ends {@code CANCELLED} once what it had made is undone. */
    public Operation cancel(OperationId id) throws ControlException {
        var entry = live.get(id);
        if (entry == null) {
            var operation = get(id);
            if (operation.state() == Operation.State.CANCELLED) {
                return operation;
            }
            throw new ControlException(
                    new ControlError.AlreadyEnded(id, operation.state().name()));
        }
        cancelQuietly(id);
        return entry.current();
    }

    /** Those that have not ended, in no order. */
    List<Operation> live() {
        return live.values().stream().map(LiveOperation::current).toList();
    }

    /** As {@link #cancel}, of one that may have ended by now. */
    void cancelQuietly(OperationId id) {
        var entry = live.get(id);
        if (entry != null) {
            entry.requestCancel();
            log.info("operation.cancel_requested operation={}", id);
        }
    }

    /** Ends hearing of an operation. */
    @FunctionalInterface
    public interface Watch extends AutoCloseable {
        @Override
        void close();
    }

    /**
     * Tells the operation as it is now, at once, and every change until it has ended. The watcher runs on the thread
     * that makes the change: it must hand over and return.
     */
    public Watch watch(OperationId id, Consumer<Operation> watcher) throws ControlException {
        var entry = live.get(id);
        if (entry == null) {
            watcher.accept(get(id));
            return () -> {};
        }
        entry.watch(watcher);
        return () -> entry.forget(watcher);
    }

    /** Waits for the end; for work that follows other work. */
    Operation await(OperationId id) throws InterruptedException, ControlException {
        var ended = new CompletableFuture<Operation>();
        try (var watch = watch(id, operation -> {
            if (operation.state().ended()) {
                ended.complete(operation);
            }
        })) {
            return ended.get();
        } catch (ExecutionException impossible) {
            throw new AssertionError("nothing completes it with a failure", impossible);
        }
    }

    public int runningCount() {
        return slots.taken();
    }

    public int waitingCount() {
        return waiting.get();
    }

    public boolean stopping() {
        return stopping;
    }

    /**
     * Takes nothing new, grants what runs the stop timeout, then tells it to leave: what is unfinished stays so in the
     * store, and the next start goes on with it.
     */
    void stop() throws InterruptedException {
        stopping = true;
        if (awaitNone(settings.stopTimeout())) {
            return;
        }
        log.warn("operations.left count={} the next start goes on with them", live.size());
        leaving = true;
        live.values().forEach(LiveOperation::requestCancel);
        awaitNone(OperationSettings.LEAVE_WAIT);
    }

    private boolean awaitNone(Duration limit) throws InterruptedException {
        long deadlineNanos = System.nanoTime() + limit.toNanos();
        while (!live.isEmpty() && System.nanoTime() - deadlineNanos < 0) {
            Thread.sleep(STOP_LOOK);
        }
        return live.isEmpty();
    }

    /** How often a stop looks whether all have ended. */
    private static final Duration STOP_LOOK = Duration.ofMillis(20);

    private Instant now() {
        return clock.instant();
    }
}

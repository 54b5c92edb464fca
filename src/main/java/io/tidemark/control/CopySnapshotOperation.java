package io.tidemark.control;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.agent.Providers;
import io.tidemark.control.document.Documents;
import io.tidemark.control.document.Json;
import io.tidemark.domain.Operation;
import io.tidemark.domain.ProgressListener;
import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotCopies;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.Step;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has a snapshot copied by its storage. The storage makes one copy per id however often it is asked, so a restart asks
 * again. One that is cancelled deletes what is there of the copy, once the storage has told it that the copy is on its
 * way; where that fails, its end tells what may be left.
 */
final class CopySnapshotOperation implements OperationKind {
    static final String KIND = "copy";
    /** Step from which on the storage may have been asked, also by a process that is gone. */
    static final String ASKED = "asked";
    /** Step in which the storage has refused, so far, whatever it was asked for. */
    static final String REFUSED = "refused";

    private static final Logger log = LoggerFactory.getLogger(CopySnapshotOperation.class);

    /** The slowest known is a first copy of many TiB to another continent. */
    private static final Duration LIMIT = Duration.ofDays(7);
    /** A storage that cannot be asked meanwhile, without a break: the copy itself does not need us. */
    private static final Duration AWAY_MAXIMUM = Duration.ofHours(1);

    private static final Duration LOOK_MINIMUM = Duration.ofMillis(100);
    private static final Duration LOOK_MAXIMUM = Duration.ofMinutes(1);

    private final Providers providers;
    private final ReadableSnapshots readable;

    CopySnapshotOperation(Providers providers) {
        this.providers = providers;
        this.readable = new ReadableSnapshots(providers);
    }

    @Override
    public String name() {
        return KIND;
    }

    private static SnapshotId source(ObjectNode request) {
        return SnapshotId.parse(Json.text(request, "snapshot"));
    }

    private static SnapshotId copy(ObjectNode request) {
        return CopySnapshot.copyOf(source(request), Json.text(request, "to"));
    }

    /** What is copied stays meanwhile, and two do not make, or cancel, the same copy. */
    @Override
    public List<Claim> claims(ObjectNode request) {
        var copy = copy(request);
        return List.of(Claim.shared(copy.recoveryPoint()), Claim.alone(copy));
    }

    /** A copy takes hours: it keeps nobody waiting but copies to the same place. */
    @Override
    public String lane(ObjectNode request) {
        return "copies to " + Json.text(request, "to");
    }

    @Override
    public ObjectNode carryOut(ObjectNode request, Running running) throws Exception {
        var snapshot = source(request);
        var copy = copy(request);
        var wanted = new Wanted(snapshot, copy, Json.optionalText(request, "key"));
        var course = new Course(running.operation().step().equals(ASKED));
        try {
            readable.await(snapshot, running);
            var result = Json.object();
            var made = followed(() -> looked(wanted, course, running), course, copy, running);
            result.set("snapshot", Documents.snapshot(made));
            return result;
        } catch (ControlException e) {
            if (e.error() instanceof ControlError.Cancelled) {
                deleteCancelled(copy, course, e);
            }
            throw e;
        }
    }

    private record Wanted(SnapshotId snapshot, SnapshotId copy, Optional<String> key) {}

    /** What the storage has said so far. */
    private static final class Course {
        Optional<Handle> handle = Optional.empty();
        boolean isUnanswered;

        Course(boolean isUnanswered) {
            this.isUnanswered = isUnanswered;
        }
    }

    /** Asks for the copy, or with a handle how far it is; each time whoever is there now: an agent may have come back. */
    private interface Look {
        Looked at() throws ProviderException;
    }

    /** @param phase what it is about, where it is under way */
    private record Looked(Step<?> step, String phase) {}

    private Looked looked(Wanted wanted, Course course, Running running) throws ProviderException {
        var copy = wanted.copy();
        var target = providers.of(copy.volume());
        var copies = target.ability(SnapshotCopies.class)
                .orElseThrow(() -> new ProviderException(new ProviderError.Conflict(
                        copy.volume().toString(), AbilityLack.of(target, "its storage makes no copies of snapshots"))));
        Step<?> step;
        if (course.handle.isEmpty()) {
            var source = providers.of(wanted.snapshot().volume());
            step = begun(() -> copies.copyOf(source, wanted.snapshot(), wanted.key()), course, running);
        } else {
            step = target.resume(course.handle.get());
        }
        return new Looked(step, step instanceof Step.Running<?> now ? copies.phase(now.handle()) : "");
    }

    private interface Begin {
        Step<?> at() throws ProviderException;
    }

    private static Step<?> begun(Begin begin, Course course, Running running) throws ProviderException {
        boolean wasUnanswered = course.isUnanswered;
        if (!wasUnanswered) {
            running.step(ASKED);
        }
        course.isUnanswered = true;
        try {
            var step = begin.at();
            course.isUnanswered = false;
            return step;
        } catch (ProviderException e) {
            // An answer to this request; one that was lost before may still have begun it.
            if (e.error() instanceof ProviderError.Busy && !wasUnanswered) {
                course.isUnanswered = false;
                running.step(REFUSED);
            }
            throw e;
        }
    }

    private Snapshot followed(Look look, Course course, SnapshotId copy, Running running) throws Exception {
        long endNanos = System.nanoTime() + LIMIT.toNanos();
        long answeredNanos = System.nanoTime();
        while (true) {
            var pause = LOOK_MAXIMUM;
            try {
                var looked = look.at();
                switch (looked.step()) {
                    case Step.Done<?>(var made) -> {
                        return (Snapshot) made;
                    }
                    case Step.Running<?>(var next, var part, var askAgainAfter) -> {
                        course.handle = Optional.of(next);
                        pause = askAgainAfter;
                        answeredNanos = System.nanoTime();
                        running.progress(progress("%s %s".formatted(copy, looked.phase()), part));
                    }
                }
            } catch (ProviderException e) {
                if (!e.error().retryable() || System.nanoTime() - answeredNanos >= AWAY_MAXIMUM.toNanos()) {
                    throw e;
                }
                pause = Waits.whileAway(e.error(), LOOK_MAXIMUM);
                running.progress(progress("%s waits: %s".formatted(copy, e.getMessage()), 0));
            }
            if (System.nanoTime() - endNanos >= 0) {
                throw new ControlException(new ControlError.StepTooLong("copy " + copy, LIMIT));
            }
            Waits.pause(pause, LOOK_MINIMUM, LOOK_MAXIMUM, running);
        }
    }

    /** @throws ControlException CopyLeft where it is not known to be gone */
    private void deleteCancelled(SnapshotId copy, Course course, ControlException cancelled)
            throws ControlException, InterruptedException {
        if (course.handle.isEmpty()) {
            // One that was never said to be on its way may be a whole copy of before: it is not deleted, but told.
            if (course.isUnanswered) {
                throw left(copy, "it was asked for and then cancelled, and its storage has not answered", cancelled);
            }
            return;
        }
        try {
            var target = providers.of(copy.volume());
            var unused = StepRunner.finish(
                    target, target.delete(copy), Boolean.class, "delete " + copy, ProgressListener.NONE);
        } catch (ProviderException e) {
            throw left(copy, e.error().message(), e);
        } catch (ControlException e) {
            throw left(copy, e.error().message(), e);
        }
    }

    private static ControlException left(SnapshotId copy, String reason, Exception cause) {
        log.warn("copy.left copy={} reason=\"{}\"", copy, reason);
        var left = new ControlException(new ControlError.CopyLeft(copy, reason));
        left.initCause(cause);
        return left;
    }

    private static Operation.Progress progress(String phase, double part) {
        return new Operation.Progress(phase, Math.round(part * 100), 100, "percent");
    }

    @Override
    public Resumption resume(Operation operation, ObjectNode request) {
        return new Resumption.Again();
    }
}

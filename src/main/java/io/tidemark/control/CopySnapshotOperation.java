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

/**
 * Has a snapshot copied by its storage. The storage makes one copy per id however often it is asked, so a restart asks
 * again. One that is cancelled deletes what is there of the copy, once the storage has told it that the copy is on its
 * way.
 */
final class CopySnapshotOperation implements OperationKind {
    static final String KIND = "copy";

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
        readable.await(snapshot, running);
        var copy = copy(request);
        var key = Json.optionalText(request, "key");
        Look look = handle -> looked(snapshot, copy, key, handle);
        var result = Json.object();
        result.set("snapshot", Documents.snapshot(followed(look, copy, running)));
        return result;
    }

    /** Asks for the copy, or with a handle how far it is; each time whoever is there now: an agent may have come back. */
    private interface Look {
        Looked at(Optional<Handle> handle) throws ProviderException;
    }

    /** @param phase what it is about, where it is under way */
    private record Looked(Step<?> step, String phase) {}

    private Looked looked(SnapshotId snapshot, SnapshotId copy, Optional<String> key, Optional<Handle> handle)
            throws ProviderException {
        var target = providers.of(copy.volume());
        var copies = target.ability(SnapshotCopies.class)
                .orElseThrow(() -> new ProviderException(new ProviderError.Conflict(
                        copy.volume().toString(), AbilityLack.of(target, "its storage makes no copies of snapshots"))));
        Step<?> step = handle.isEmpty()
                ? copies.copyOf(providers.of(snapshot.volume()), snapshot, key)
                : target.resume(handle.get());
        return new Looked(step, step instanceof Step.Running<?> running ? copies.phase(running.handle()) : "");
    }

    private Snapshot followed(Look look, SnapshotId copy, Running running) throws Exception {
        long endNanos = System.nanoTime() + LIMIT.toNanos();
        long answeredNanos = System.nanoTime();
        Optional<Handle> handle = Optional.empty();
        try {
            while (true) {
                var pause = LOOK_MAXIMUM;
                try {
                    var looked = look.at(handle);
                    switch (looked.step()) {
                        case Step.Done<?>(var made) -> {
                            return (Snapshot) made;
                        }
                        case Step.Running<?>(var next, var part, var askAgainAfter) -> {
                            handle = Optional.of(next);
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
        } catch (ControlException e) {
            // One that was never said to be on its way may be a whole copy of before.
            if (e.error() instanceof ControlError.Cancelled && handle.isPresent()) {
                var target = providers.of(copy.volume());
                var unused = StepRunner.finish(
                        target, target.delete(copy), Boolean.class, "delete " + copy, ProgressListener.NONE);
            }
            throw e;
        }
    }

    private static Operation.Progress progress(String phase, double part) {
        return new Operation.Progress(phase, Math.round(part * 100), 100, "percent");
    }

    @Override
    public Resumption resume(Operation operation, ObjectNode request) {
        return new Resumption.Again();
    }
}

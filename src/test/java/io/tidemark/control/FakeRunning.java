package io.tidemark.control;

import io.tidemark.domain.Operation;
import io.tidemark.domain.OperationId;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/** An operation that is stopped and cancelled at a word, and keeps what it is told. */
final class FakeRunning implements OperationKind.Running {
    private final String kind;
    private volatile String step;

    final List<Operation.Progress> told = new CopyOnWriteArrayList<>();
    volatile boolean stopping;
    volatile boolean cancelled;

    FakeRunning(String kind, String step) {
        this.kind = kind;
        this.step = step;
    }

    @Override
    public Operation operation() {
        return new Operation(
                new OperationId("op-1"),
                kind,
                "",
                Operation.State.RUNNING,
                "{}",
                step,
                Operation.Progress.NONE,
                Optional.empty(),
                Optional.empty(),
                Instant.EPOCH,
                Instant.EPOCH);
    }

    @Override
    public void step(String name) {
        step = name;
    }

    @Override
    public boolean stopping() {
        return stopping;
    }

    @Override
    public void progress(Operation.Progress progress) {
        told.add(progress);
    }

    @Override
    public boolean cancelled() {
        return cancelled;
    }
}

package io.tidemark.agent.remote;

import io.tidemark.spi.Handle;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageReplication;
import io.tidemark.spi.Volume;
import java.time.Duration;
import java.util.Optional;

/**
 * Long work as it travels.
 *
 * @param volume what it came to, where that is a volume
 * @param yes what it came to, where that is an answer
 * @param copy what it came to, where that is a copy of a snapshot
 * @param replication what it came to, where that is how a storage replicates a volume
 * @param running present while it is not at its end
 */
record StepAnswer(
        Optional<Volume> volume,
        boolean yes,
        Optional<Snapshot> copy,
        Optional<StorageReplication.Status> replication,
        Optional<Running> running) {

    record Running(Handle handle, double progress, Duration askAgainAfter) {}

    static StepAnswer of(Step<?> step) {
        return switch (step) {
            case Step.Done<?>(Volume volume) -> done(Optional.of(volume), true);
            case Step.Done<?>(Snapshot copy) ->
                new StepAnswer(Optional.empty(), true, Optional.of(copy), Optional.empty(), Optional.empty());
            case Step.Done<?>(StorageReplication.Status status) ->
                new StepAnswer(Optional.empty(), true, Optional.empty(), Optional.of(status), Optional.empty());
            case Step.Done<?>(Object answer) -> done(Optional.empty(), Boolean.TRUE.equals(answer));
            case Step.Running<?>(var handle, var progress, var again) ->
                new StepAnswer(
                        Optional.empty(),
                        false,
                        Optional.empty(),
                        Optional.empty(),
                        Optional.of(new Running(handle, progress, again)));
        };
    }

    private static StepAnswer done(Optional<Volume> volume, boolean yes) {
        return new StepAnswer(volume, yes, Optional.empty(), Optional.empty(), Optional.empty());
    }
}

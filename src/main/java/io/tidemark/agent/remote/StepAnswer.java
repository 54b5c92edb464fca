package io.tidemark.agent.remote;

import io.tidemark.spi.Handle;
import io.tidemark.spi.Step;
import io.tidemark.spi.Volume;
import java.time.Duration;
import java.util.Optional;

/**
 * Long work as it travels.
 *
 * @param volume what it came to, where that is a volume
 * @param yes what it came to, where that is an answer
 * @param running present while it is not at its end
 */
record StepAnswer(Optional<Volume> volume, boolean yes, Optional<Running> running) {

    record Running(Handle handle, double progress, Duration askAgainAfter) {}

    static StepAnswer of(Step<?> step) {
        return switch (step) {
            case Step.Done<?>(Volume volume) -> new StepAnswer(Optional.of(volume), true, Optional.empty());
            case Step.Done<?>(Object answer) ->
                new StepAnswer(Optional.empty(), Boolean.TRUE.equals(answer), Optional.empty());
            case Step.Running<?>(var handle, var progress, var again) ->
                new StepAnswer(Optional.empty(), false, Optional.of(new Running(handle, progress, again)));
        };
    }
}

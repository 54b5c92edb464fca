package io.tidemark.cli.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.block.BlockError;
import io.tidemark.block.BlockException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

final class SecondPassTest {
    /** The delta changed since it was checked, or its storage does not answer. */
    @Test
    void whateverEndsTheSecondPassIsNoRefusalAndNamesWhatFinishesIt() {
        var damaged = new BlockException(new BlockError.Damaged("the delta", 7, "torn"));
        var gone = new UncheckedIOException(new IOException("stale handle"));
        for (boolean forced : new boolean[] {true, false}) {
            var pass = new SecondPass(Path.of("kept.delta"), Path.of("image"), forced);
            var advised = "tidemark block apply kept.delta image" + (forced ? " --force" : "");

            var torn = catchThrowableOfType(
                    CommandFailure.class,
                    () -> pass.run(() -> {
                        throw damaged;
                    }));
            var stale = catchThrowableOfType(
                    CommandFailure.class,
                    () -> pass.run(() -> {
                        throw gone;
                    }));

            assertThat(List.of(torn.exitCode(), stale.exitCode())).containsOnly(4);
            assertThat(torn.text()).contains("torn");
            assertThat(stale.text()).isEqualTo("stale handle");
            assertThat(List.of(torn.advice(), stale.advice())).allMatch(advice -> advice.endsWith(advised));
        }
    }
}

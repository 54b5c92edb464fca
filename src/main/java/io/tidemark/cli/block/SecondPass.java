package io.tidemark.cli.block;

import io.tidemark.block.BlockException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/**
 * The pass that writes. When it fails, the image may be between two states: whatever the failure is, it says what
 * finishes the application.
 *
 * @param forced whether the image may be another than the delta's base
 */
record SecondPass(Path delta, Path image, boolean forced) {
    @FunctionalInterface
    interface Writes {
        void run() throws IOException, BlockException;
    }

    void run(Writes writes) throws CommandFailure {
        try {
            writes.run();
        } catch (BlockException e) {
            throw halfWay(Failures.of(e.error()));
        } catch (IOException e) {
            throw halfWay(Failures.of(e));
        } catch (UncheckedIOException e) {
            throw halfWay(Failures.of(e));
        }
    }

    private CommandFailure halfWay(CommandFailure why) {
        return new CommandFailure(
                BlockExit.INPUT_OUTPUT,
                why.text(),
                "the image may be between two states: once this is put right, finish it by"
                        + " tidemark block apply %s %s%s".formatted(delta, image, forced ? " --force" : ""));
    }
}

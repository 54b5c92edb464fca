package io.tidemark.provider.commands;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Programs that are read or fed for as long as whoever does it wants to. */
class CommandStreamTest {
    private static final Duration LIMIT = Duration.ofMillis(300);

    private final CommandRunner runner = new CommandRunner();

    @Test
    void whoReadsSlowlyDoesNotKillTheProgram() throws Exception {
        var much = Command.of("head", "-c", "300000", "/dev/zero").within(LIMIT);
        try (var stream = runner.source(much)) {
            var buffer = new byte[100_000];
            int count = stream.read(buffer, 0, 1);
            Thread.sleep(LIMIT.multipliedBy(3));
            for (int read = stream.read(buffer, 0, buffer.length);
                    read >= 0;
                    read = stream.read(buffer, 0, buffer.length)) {
                count += read;
            }

            assertThat(count).isEqualTo(300_000);
            assertThat(stream.finish()).isEqualTo(new Outcome(0, "", ""));
        }
    }

    @Test
    void programThatSaysNothingForTooLongIsKilledAndItsEndIsNoEnd() throws Exception {
        try (var stream = runner.source(
                Command.of("sh", "-c", "echo one; exec sleep 987654").within(LIMIT))) {
            var buffer = new byte[100];
            assertThat(stream.read(buffer, 0, 100)).isEqualTo(4);
            assertThat(stream.read(buffer, 0, 100)).isEqualTo(-1);
            assertTimedOut(stream);
        }
    }

    @Test
    void fedProgramAnswersWhatItSaid() throws Exception {
        try (var stream = runner.sink(Command.of("sh", "-c", "cat; echo complaint >&2; exit 3"))) {
            var bytes = "fed".getBytes(StandardCharsets.UTF_8);
            stream.write(bytes, 0, 1);
            stream.write(bytes, 1, 2);

            assertThat(stream.finish()).isEqualTo(new Outcome(3, "fed", "complaint\n"));
        }
    }

    @Test
    void whoFeedsSlowlyDoesNotKillTheProgram() throws Exception {
        try (var stream = runner.sink(Command.of("wc", "-c").within(LIMIT))) {
            stream.write(new byte[10], 0, 10);
            Thread.sleep(LIMIT.multipliedBy(3));
            stream.write(new byte[10], 0, 10);

            assertThat(stream.finish().stdout().strip()).isEqualTo("20");
        }
    }

    @Test
    void programThatDoesNotTakeItsInputIsKilled() throws Exception {
        try (var stream = runner.sink(Command.of("sleep", "987654").within(LIMIT))) {
            assertThatIOException().isThrownBy(() -> stream.write(new byte[1 << 20], 0, 1 << 20));
            assertTimedOut(stream);
        }
    }

    @Test
    void programThatDoesNotEndWhenItsInputDoesIsKilled() throws Exception {
        try (var stream = runner.sink(Command.of("sleep", "987654").within(LIMIT))) {
            assertTimedOut(stream);
        }
    }

    @Test
    void programThatEndedBeforeItsInputTellsWhy() throws Exception {
        try (var stream = runner.sink(Command.of("sh", "-c", "echo no >&2; exit 5"))) {
            assertThatIOException().isThrownBy(() -> {
                while (true) {
                    stream.write(new byte[1 << 16], 0, 1 << 16);
                }
            });
            assertThat(stream.finish()).isEqualTo(new Outcome(5, "", "no\n"));
        }
    }

    @Test
    void closedProgramHasEnded() throws Exception {
        var before = ProcessHandle.current().children().count();
        var stream = runner.sink(Command.of("sleep", "987654"));

        stream.close();

        assertThat(ProcessHandle.current().children().count()).isEqualTo(before);
    }

    private static void assertTimedOut(CommandStream stream) {
        assertThatThrownBy(stream::finish)
                .isInstanceOfSatisfying(
                        CommandException.class,
                        thrown -> assertThat(thrown.error()).isInstanceOf(CommandError.TimedOut.class));
    }
}

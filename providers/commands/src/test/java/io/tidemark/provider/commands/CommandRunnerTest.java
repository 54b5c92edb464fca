package io.tidemark.provider.commands;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class CommandRunnerTest {
    private final CommandRunner runner = new CommandRunner();

    @Test
    void outputErrorsAndExitStatusComeBack() throws Exception {
        var outcome = runner.run(Command.of("sh", "-c", "echo out; echo err >&2; exit 3"));

        assertThat(outcome).isEqualTo(new Outcome(3, "out\n", "err\n"));
        assertThat(outcome.succeeded()).isFalse();
        assertThat(outcome.evidence()).isEqualTo("exit status 3: err");
    }

    @Test
    void argumentsAreNotReadByAShell() throws Exception {
        var outcome = runner.run(Command.of("printf", "%s|", "$HOME", "a b", "*;true", ""));

        assertThat(outcome.stdout()).isEqualTo("$HOME|a b|*;true||");
    }

    @Test
    void environmentHoldsOnlyPathAndLocale() throws Exception {
        var outcome = runner.run(Command.of("env"));

        assertThat(outcome.stdout().lines()).hasSize(2).contains("LC_ALL=C");
    }

    @Test
    void standardInputIsEmpty() throws Exception {
        assertThat(runner.run(Command.of("cat")).stdout()).isEmpty();
    }

    @Test
    void programThatRunsTooLongIsKilledWithItsChildren() throws Exception {
        var command = Command.of("sh", "-c", "sleep 987654 & sleep 987654").within(Duration.ofMillis(200));

        var error = errorOf(command);

        assertThat(error).isEqualTo(new CommandError.TimedOut("sh", Duration.ofMillis(200)));
        assertNoProcessIsLeft();
    }

    @Test
    void programThatSaysTooMuchIsKilled() throws Exception {
        var error = errorOf(new Command(List.of("yes"), Duration.ofSeconds(20), 10_000));

        assertThat(error).isEqualTo(new CommandError.TooMuchOutput("yes", 10_000));
    }

    @Test
    void muchOutputOnBothSidesDoesNotDeadlock() throws Exception {
        var outcome =
                runner.run(Command.of("sh", "-c", "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2; echo end"));

        assertThat(outcome.stdout()).hasSize(300_004).endsWith("end\n");
        assertThat(outcome.stderr()).hasSize(300_000);
    }

    @Test
    void absentProgramIsNamed() throws Exception {
        assertThat(errorOf(Command.of("no-such-program-here")))
                .isInstanceOfSatisfying(
                        CommandError.NotStarted.class,
                        error -> assertThat(error.program()).isEqualTo("no-such-program-here"));
        assertThat(runner.find("no-such-program-here")).isEmpty();
        assertThat(runner.find("sh")).isPresent();
    }

    @Test
    void relativeFoldersOfThePathAreNotSearched() {
        assertThat(new CommandRunner(".:relative").find("pom.xml")).isEmpty();
    }

    @Test
    void streamedOutputIsReadWhileTheProgramRuns() throws Exception {
        try (var stream = runner.stream(Command.of("sh", "-c", "echo first; echo complaint >&2; exit 4"))) {
            assertThat(new String(stream.output().readAllBytes(), StandardCharsets.UTF_8))
                    .isEqualTo("first\n");
            assertThat(stream.finish()).isEqualTo(new Outcome(4, "", "complaint\n"));
        }
    }

    @Test
    void closingAStreamKillsItsProgram() throws Exception {
        try (var stream = runner.stream(Command.of("yes"))) {
            assertThat(stream.output().read()).isEqualTo('y');
        }

        assertNoProcessIsLeft();
    }

    @Test
    void streamThatRunsTooLongEndsAndSaysSo() throws Exception {
        try (var stream = runner.stream(Command.of("sleep", "987654").within(Duration.ofMillis(200)))) {
            assertThat(stream.output().read()).isEqualTo(-1);
            assertThatThrownBy(stream::finish)
                    .isInstanceOfSatisfying(
                            CommandException.class,
                            thrown -> assertThat(thrown.error()).isInstanceOf(CommandError.TimedOut.class));
        }
    }

    @Test
    void commandsWithoutProgramOrLimitsAreRefused() {
        assertThatThrownBy(Command::of).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Command.of("a\0b")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Command.of("true").within(Duration.ZERO)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Command(List.of("true"), Duration.ofSeconds(1), 0))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static void assertNoProcessIsLeft() throws Exception {
        for (var process : ProcessHandle.current().descendants().toList()) {
            assertThat(process.onExit().get(5, TimeUnit.SECONDS).isAlive()).isFalse();
        }
    }

    private CommandError errorOf(Command command) {
        var thrown = catchThrowableOfType(CommandException.class, () -> runner.run(command));
        assertThat(thrown).isNotNull();
        return thrown.error();
    }
}

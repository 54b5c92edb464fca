package io.tidemark.consistency.command;

import io.tidemark.provider.commands.Command;
import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.CommandRunner;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Runs the programs of a definition that need no keeper. */
final class CommandPrograms {
    private static final int OUTPUT_BYTES_MAXIMUM = 1 << 20;

    /** Opens the file by itself: flock(1) would make one that is gone. */
    private static final String AWAIT_UNLOCKED = "exec 4<\"$1\" && flock -w \"$2\" 4";
    /** Until bash and flock(1) run, on a busy host. */
    private static final Duration WAIT_GRACE = Duration.ofSeconds(5);

    private final CommandRunner runner;

    CommandPrograms(CommandRunner runner) {
        this.runner = runner;
    }

    /** What every program of one recovery point finds in its environment, beside {@code TIDEMARK_STEP}. */
    Map<String, String> environment(String command, String recoveryPoint, Duration freezeLimit) {
        var environment = new HashMap<>(runner.environment());
        environment.put("TIDEMARK_QUIESCER", command);
        environment.put("TIDEMARK_RECOVERY_POINT", recoveryPoint);
        environment.put("TIDEMARK_FREEZE_LIMIT_MILLIS", Long.toString(freezeLimit.toMillis()));
        return environment;
    }

    /** Whether nobody has the file locked, within the limit, or it is gone: a keeper locks it while it lives. */
    boolean awaitUnlocked(Path file, Duration limit, Map<String, String> environment) {
        var seconds = Long.toString(limit.toSeconds());
        var argv = List.of("bash", "--norc", "-c", AWAIT_UNLOCKED, "tidemark-wait", file.toString(), seconds);
        return failure("wait", argv, limit.plus(WAIT_GRACE), environment).isEmpty() || !Files.exists(file);
    }

    Optional<String> missing(List<String> programs) {
        return programs.stream()
                .filter(program -> runner.find(program).isEmpty())
                .findFirst();
    }

    /** @return why it failed, one phrase; empty when it ended with 0 */
    Optional<String> failure(String step, List<String> argv, Duration limit, Map<String, String> environment) {
        var all = new HashMap<>(environment);
        all.put("TIDEMARK_STEP", step);
        try {
            var outcome = runner.run(new Command(argv, limit, OUTPUT_BYTES_MAXIMUM, all));
            return outcome.succeeded() ? Optional.empty() : Optional.of("ended with " + outcome.evidence());
        } catch (CommandException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }

    /** Runs the thaw program until it succeeds, as often as its definition says. */
    Optional<String> thaw(CommandDefinition command, Map<String, String> environment) {
        var failure = failure("thaw", command.thaw(), command.thawLimit(), environment);
        for (int attempt = 1; failure.isPresent() && attempt < command.thawAttempts(); attempt++) {
            try {
                TimeUnit.MILLISECONDS.sleep(CommandDefinition.BETWEEN_ATTEMPTS.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return failure;
            }
            failure = failure("thaw", command.thaw(), command.thawLimit(), environment);
        }
        return failure;
    }
}

package io.tidemark.consistency.command;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a command may still hold, because its thaw program failed, or whoever should have run it died. */
record LeftHeld(HeldJournal journal, CommandPrograms programs) {
    private static final Logger LOG = LoggerFactory.getLogger(LeftHeld.class);

    /**
     * Runs the thaw program, where the journal names the command, and takes it out of there.
     *
     * @return why that failed; all of it is left as it was then, and may be tried again
     */
    Optional<String> thaw(CommandDefinition command) {
        try {
            awaitKeepers(command, entries(command));
            // What a keeper has thawed meanwhile it has taken out itself.
            var left = entries(command);
            if (left.isEmpty()) {
                return Optional.empty();
            }
            var point = left.getLast().recoveryPoint();
            var failure = programs.thaw(command, programs.environment(command.name(), point, Duration.ZERO));
            if (failure.isPresent()) {
                return failure;
            }
            for (var entry : left) {
                journal.remove(entry.file());
                LOG.warn(
                        "application_thawed_afterwards command={} recoveryPoint={}",
                        command.name(),
                        entry.recoveryPoint());
            }
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of("the journal of what is held cannot be used: " + e.getMessage());
        }
    }

    private List<HeldJournal.Entry> entries(CommandDefinition command) throws IOException {
        return journal.entries().stream()
                .filter(entry -> entry.command().equals(command.name()))
                .toList();
    }

    /**
     * The keeper of a service that died ends by itself, and thaws before it does. One that has not ended after that was
     * stopped, or something that its programs started has inherited the lock: it is not waited for.
     */
    private void awaitKeepers(CommandDefinition command, List<HeldJournal.Entry> left) {
        var limit = command.keeperOutlives();
        for (var entry : left) {
            var environment = programs.environment(command.name(), entry.recoveryPoint(), Duration.ZERO);
            if (programs.awaitUnlocked(entry.file(), Duration.ZERO, environment)) {
                continue;
            }
            LOG.info("application_keeper_awaited command={} limitSeconds={}", command.name(), limit.toSeconds());
            if (!programs.awaitUnlocked(entry.file(), limit, environment)) {
                LOG.warn(
                        "application_keeper_lives command={} file={} seconds={}",
                        command.name(),
                        entry.file(),
                        limit.toSeconds());
            }
        }
    }
}

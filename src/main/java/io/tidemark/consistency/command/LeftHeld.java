package io.tidemark.consistency.command;

import java.io.IOException;
import java.time.Duration;
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
            var left = journal.entries().stream()
                    .filter(entry -> entry.command().equals(command.name()))
                    .toList();
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
}

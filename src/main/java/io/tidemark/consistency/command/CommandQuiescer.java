package io.tidemark.consistency.command;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.consistency.Quiescer;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Volume;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Freezes an application by programs that know how. What they do, and to what data, is their word. */
final class CommandQuiescer implements Quiescer {
    static final String KIND = "command";

    private final CommandDefinition command;
    private final CommandPrograms programs;
    private final HeldJournal journal;

    CommandQuiescer(CommandDefinition command, CommandPrograms programs, HeldJournal journal) {
        this.command = command;
        this.programs = programs;
        this.journal = journal;
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public String subject() {
        return command.name();
    }

    /** Runs nothing: a check program would rightly say that nothing is held. */
    @Override
    public Check check(List<Volume> volumes) throws ConsistencyException {
        refuseUnfit();
        var warnings = new ArrayList<String>();
        warnings.add("nobody checked that the data of command %s lies on the volumes".formatted(command.name()));
        if (command.check().isEmpty()) {
            warnings.add("command %s has no check program: that it holds until the cut is its freeze program's word"
                    .formatted(command.name()));
        }
        return new Check(warnings);
    }

    private void refuseUnfit() throws ConsistencyException {
        var unfit = command.unfit();
        if (unfit.isPresent()) {
            throw failed(command, unfit.get());
        }
        var missing = programs.missing(ThawKeeper.PROGRAMS);
        if (missing.isPresent()) {
            throw failed(
                    command,
                    "program %s is not installed, which thaws it when Tidemark dies (util-linux, bash, coreutils)"
                            .formatted(missing.get()));
        }
    }

    @Override
    public Frozen freeze(RecoveryPointId recoveryPoint, Duration limit) throws ConsistencyException {
        refuseUnfit();
        var left = new LeftHeld(journal, programs).thaw(command);
        if (left.isPresent()) {
            throw failed(
                    command, "it may still be held by an earlier recovery point, and its thaw program " + left.get());
        }
        if (!command.prepare().isEmpty()) {
            var environment = programs.environment(command.name(), recoveryPoint.value(), limit);
            var failure = programs.failure("prepare", command.prepare(), command.prepareLimit(), environment);
            if (failure.isPresent()) {
                throw failed(command, "its prepare program failed: " + failure.get());
            }
        }
        return new CommandFrozen(command, programs, journal, recoveryPoint);
    }

    static ConsistencyException failed(CommandDefinition command, String reason) {
        return new ConsistencyException(new ConsistencyError.FreezeFailed(KIND, command.name(), reason));
    }
}

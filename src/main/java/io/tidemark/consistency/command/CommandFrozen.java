package io.tidemark.consistency.command;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.domain.Certificate;
import io.tidemark.spi.RecoveryPointId;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An application that is ready to be frozen by its programs, then frozen, with a keeper that thaws it. */
final class CommandFrozen implements Frozen {
    private static final Logger LOG = LoggerFactory.getLogger(CommandFrozen.class);

    /** Until timeout(1) was started, and has killed a program that is over its limit. */
    private static final Duration ORPHAN_GRACE = Duration.ofSeconds(1);
    /** Of timeout(1), after it has killed the program. */
    private static final int STATUS_KILLED = 137;

    private final CommandDefinition command;
    private final CommandPrograms programs;
    private final HeldJournal journal;
    private final RecoveryPointId recoveryPoint;
    private @Nullable Hold hold;
    private @Nullable Release release;
    private Optional<String> checkFailure = Optional.empty();

    CommandFrozen(
            CommandDefinition command, CommandPrograms programs, HeldJournal journal, RecoveryPointId recoveryPoint) {
        this.command = command;
        this.programs = programs;
        this.journal = journal;
        this.recoveryPoint = recoveryPoint;
    }

    private record Hold(
            ThawKeeper keeper,
            Path entry,
            Map<String, String> environment,
            long requestedNanos,
            long acknowledgedNanos) {}

    @Override
    public void hold(Duration limit) throws ConsistencyException {
        var part = Frozen.holdingLimit(limit);
        var freezeLimit = command.freezeLimit().compareTo(part) < 0 ? command.freezeLimit() : part;
        var times = new ThawKeeper.Times(
                freezeLimit, limit.minus(freezeLimit), command.thawLimit(), command.thawAttempts());
        var environment = programs.environment(command.name(), recoveryPoint.value(), limit);
        long requested = System.nanoTime();
        Hold started;
        try {
            var entry = journal.write(recoveryPoint, command.name());
            var keeper = ThawKeeper.start(command, times, entry, environment);
            started = new Hold(keeper, entry, environment, requested, System.nanoTime());
        } catch (IOException e) {
            // No keeper, so no program has run. A journal entry that stays costs one more thaw at the next start.
            throw CommandQuiescer.failed(command, "its programs cannot be started: " + e);
        }
        var failure = frozeOrWhyNot(started, freezeLimit);
        if (failure.isPresent()) {
            throw CommandQuiescer.failed(command, failure.get());
        }
        hold = new Hold(started.keeper(), started.entry(), environment, requested, System.nanoTime());
    }

    /** Empty when it is frozen; else it has been thawed, as far as that could be done. */
    private Optional<String> frozeOrWhyNot(Hold started, Duration freezeLimit) {
        Optional<Integer> status = Optional.empty();
        try {
            status = started.keeper().froze();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (status.isPresent() && status.get() == 0) {
            return Optional.empty();
        }
        if (status.isEmpty()) {
            awaitOrphan(started, freezeLimit);
        }
        var thawed = finish(started);
        var reason = status.isEmpty()
                ? "its freeze program was lost sight of"
                : status.get() == STATUS_KILLED
                        ? "its freeze program was killed, it may take %d ms (freezeTimeoutMillis, at most half of the freeze limit)"
                                .formatted(freezeLimit.toMillis())
                        : "its freeze program ended with exit status %d".formatted(status.get());
        var said = started.keeper().output().strip().replaceAll("\\s+", " ");
        return Optional.of("%s%s; its thaw program %s"
                .formatted(
                        reason,
                        said.isEmpty() ? "" : ": " + said,
                        thawed.failure().orElse("succeeded")));
    }

    /** A freeze program whose keeper died goes on, and timeout(1) ends it at its limit: a thaw before would be undone. */
    private static void awaitOrphan(Hold started, Duration freezeLimit) {
        try {
            if (!started.keeper().hasEnded()) {
                return;
            }
            var left = freezeLimit.plus(ORPHAN_GRACE).minusNanos(System.nanoTime() - started.acknowledgedNanos());
            TimeUnit.NANOSECONDS.sleep(left.toNanos());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public boolean heldUntilNow() {
        var held = hold;
        if (release != null || held == null || !held.keeper().holds()) {
            return false;
        }
        if (!command.check().isEmpty()) {
            checkFailure = programs.failure("check", command.check(), command.checkLimit(), held.environment());
        }
        return checkFailure.isEmpty();
    }

    @Override
    public Release thaw() {
        if (release == null) {
            var held = hold;
            release = held == null ? Release.NOTHING : end(held);
        }
        return release;
    }

    private Release end(Hold held) {
        long thawed = System.nanoTime();
        var ended = finish(held);
        var facts = new LinkedHashMap<String, String>();
        facts.put(
                "holdingIsKnownBy",
                command.check().isEmpty() ? "the word of the freeze program alone" : "the check program");
        checkFailure.ifPresent(failure -> facts.put("checkError", failure));
        facts.put("thawBegan", ended.reason());
        ended.failure().ifPresent(failure -> facts.put("thawError", failure));
        var output = held.keeper().output();
        var freeze = new Certificate.Freeze(
                CommandQuiescer.KIND,
                command.name(),
                held.requestedNanos(),
                held.acknowledgedNanos(),
                thawed,
                System.nanoTime(),
                ended.reason().equals("asked"),
                facts);
        return new Release(List.of(freeze), output.isBlank() ? Map.of() : Map.of("command_output", output));
    }

    /** @param reason why the thaw was begun: {@code asked} alone means that it had held until then */
    private record Ended(String reason, Optional<String> failure) {}

    /** Whoever interrupts waits for this: an application that stays held is worse. */
    private Ended finish(Hold held) {
        boolean interrupted = Thread.interrupted();
        Optional<String> reason = Optional.empty();
        Optional<ThawKeeper.Thawed> thawed = Optional.empty();
        try {
            reason = held.keeper().thaw();
            if (reason.isPresent()) {
                thawed = held.keeper().thawed();
            }
        } catch (InterruptedException e) {
            interrupted = true;
        }
        var failure = thawed.isPresent() ? failure(thawed.get()) : takeOver(held);
        settle(held, failure);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return new Ended(reason.orElse("its keeper was lost"), failure);
    }

    private static Optional<String> failure(ThawKeeper.Thawed thawed) {
        return thawed.status() == 0
                ? Optional.empty()
                : Optional.of(
                        "failed %d times, at last with exit status %d".formatted(thawed.attempts(), thawed.status()));
    }

    /** It does not answer as it should: what it might still do must not come after what we do. */
    private Optional<String> takeOver(Hold held) {
        held.keeper().kill();
        return programs.thaw(command, held.environment());
    }

    private void settle(Hold held, Optional<String> failure) {
        if (failure.isPresent()) {
            LOG.error(
                    "application_not_thawed command={} recoveryPoint={} error={}",
                    command.name(),
                    recoveryPoint,
                    failure.get());
            return;
        }
        try {
            journal.remove(held.entry());
        } catch (IOException e) {
            LOG.warn("command_journal_not_removed file={} error={}", held.entry(), e.getMessage());
        }
    }
}

package io.tidemark.provider.azure;

import io.tidemark.provider.azure.DiskCalls.Made;
import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.Step;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Copies into this region, made by Azure (CopyStart) under a name that follows from what they are, so that asking twice
 * makes one. A copy is there when all its bytes are, not when its creation has succeeded.
 */
final class AzureCopies {
    private static final Duration ASK_AGAIN = Duration.ofSeconds(15);
    /** For the deletion of a copy that has failed. */
    private static final Duration REMOVAL_MAXIMUM = Duration.ofSeconds(60);

    private static final Pattern KEY_FORM =
            Pattern.compile("(?i)/subscriptions/[^/ ]{1,64}/resourceGroups/[^/ ]{1,90}/providers/Microsoft\\.Compute/"
                    + "diskEncryptionSets/[A-Za-z0-9_.-]{1,80}");

    /** Of a tag. */
    private static final int VALUE_CHARACTERS_MAXIMUM = 256;

    private final DiskCalls calls;
    private final Attempts attempts;
    private final ArmGate gate;
    private final AzureSnapshots snapshots;
    private final AzureLists lists;
    private final RecentEffects recent;
    private final AzureConfig config;
    private final InstantSource clock;
    private final CopyTurns turns;

    /**
     * A copy that is asked for.
     *
     * @param id what the copy is called here
     * @param source Azure's id of what is copied
     * @param key a disk encryption set
     * @param uploadedBytes see {@link CloudSnapshot#uploadedBytes}
     */
    record Wanted(SnapshotId id, String source, Optional<String> key, Optional<Long> uploadedBytes) {}

    /** What a copy is about. */
    enum Phase {
        WAITS,
        COPIES
    }

    /** What all calls of a provider share. */
    record Shared(Attempts attempts, ArmGate gate, AzureLists lists, RecentEffects recent, InstantSource clock) {}

    AzureCopies(DiskCalls calls, AzureSnapshots snapshots, AzureConfig config, Shared shared) {
        this.calls = calls;
        this.snapshots = snapshots;
        this.config = config;
        attempts = shared.attempts();
        gate = shared.gate();
        lists = shared.lists();
        recent = shared.recent();
        clock = shared.clock();
        turns = new CopyTurns(AzureLimits.COPIES_AT_ONCE, clock);
    }

    /** @throws ProviderException Conflict, naming the key */
    static void checkKey(String key) throws ProviderException {
        if (!KEY_FORM.matcher(key).matches() || key.length() > VALUE_CHARACTERS_MAXIMUM) {
            throw new ProviderException(new ProviderError.Conflict(
                    "key \"%s\"".formatted(key),
                    "it is the id of a disk encryption set in the copy's region, of at most %d characters:"
                                    .formatted(VALUE_CHARACTERS_MAXIMUM)
                            + " /subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/diskEncryptionSets"
                            + "/NAME"));
        }
    }

    String phase(Phase phase) {
        return switch (phase) {
            case WAITS ->
                "waits for another copy of its disk, as Azure makes one at a time, or for one of %d copies into %s"
                        .formatted(AzureLimits.COPIES_AT_ONCE, config.location());
            case COPIES -> "is copied by Azure";
        };
    }

    /** Where the copy is, or would be. */
    AzureNames.Place place(SnapshotId copy) {
        return new AzureNames.Place(config.resourceGroup(), AzureNames.copyName(config, copy));
    }

    /** Whether it is there with all its bytes: nothing is asked of its source any more. */
    boolean isWhole(SnapshotId copy) throws ProviderException {
        var found = snapshots.find(copy);
        return found.isPresent() && AzureFinder.readiness(copy, found.get()) instanceof Readiness.Ready;
    }

    Step<Snapshot> step(Wanted wanted) throws ProviderException {
        var found = snapshots.find(wanted.id());
        if (found.isEmpty()) {
            return turns.enter(wanted.id()) ? begun(wanted) : running(wanted, Phase.WAITS, 0);
        }
        refuseOther(wanted, found.get());
        return switch (AzureFinder.readiness(wanted.id(), found.get())) {
            case Readiness.Ready ignored -> {
                turns.left(wanted.id());
                recent.certain(wanted.id());
                recent.made(found.get());
                yield new Step.Done<>(AzureSnapshots.snapshot(wanted.id(), found.get()));
            }
            case Readiness.Pending(var progress, var askAgain) -> {
                turns.goesOn(wanted.id());
                yield running(wanted, Phase.COPIES, progress);
            }
            case Readiness.Failed(var error) -> {
                turns.left(wanted.id());
                if (!isRemoved(found.get())) {
                    yield running(wanted, Phase.COPIES, 0);
                }
                throw new ProviderException(new ProviderError.Corrupt(
                        wanted.id().toString(),
                        "the copy of %s is deleted: %s".formatted(wanted.source(), error.message())));
            }
        };
    }

    private void refuseOther(Wanted wanted, CloudSnapshot found) throws ProviderException {
        var key = Optional.ofNullable(found.tags().get(AzureNames.COPY_KEY));
        if (!found.isCopy() || !found.source().equals(AzureNames.lower(wanted.source()))) {
            throw new ProviderException(new ProviderError.Conflict(
                    wanted.id().toString(),
                    "it exists, and is %s, not of %s; delete it first"
                            .formatted(found.isCopy() ? "a copy of " + found.source() : "no copy", wanted.source())));
        }
        if (!key.equals(wanted.key())) {
            throw new ProviderException(new ProviderError.Conflict(
                    wanted.id().toString(),
                    "it exists, made with %s; delete it first"
                            .formatted(key.map(each -> "key " + each).orElse("no key named"))));
        }
    }

    private Step<Snapshot> begun(Wanted wanted) throws ProviderException {
        var tags = AzureNames.tagsOf(config, wanted.id());
        wanted.key().ifPresent(key -> tags.put(AzureNames.COPY_KEY, key));
        wanted.uploadedBytes().ifPresent(bytes -> tags.put(AzureNames.SIZE, String.valueOf(bytes)));
        var at = place(wanted.id());
        recent.uncertain(wanted.id());
        try {
            Made<CloudSnapshot> made = attempts.until(
                    () -> calls.copySnapshot(at, config.location(), wanted.source(), wanted.key(), tags));
            made.told().ifPresent(recent::made);
            return running(wanted, Phase.COPIES, 0);
        } catch (ProviderException e) {
            boolean isRefused = e.error() instanceof ProviderError.Conflict conflict
                    && conflict.reason().startsWith("OperationNotAllowed");
            if (isRefused && isOtherUnderWay(wanted.id())) {
                turns.refused(wanted.id());
                return running(wanted, Phase.WAITS, 0);
            }
            if (!e.error().retryable()) {
                turns.left(wanted.id());
            }
            throw e;
        }
    }

    /** Whether Azure is at another copy of the same disk that is ours. */
    private boolean isOtherUnderWay(SnapshotId copy) throws ProviderException {
        for (var each : lists.of(config.resourceGroup(), calls::snapshots)) {
            var id = snapshots.idOf(each);
            if (each.isCopy()
                    && id.isPresent()
                    && id.get().volume().equals(copy.volume())
                    && !id.get().equals(copy)
                    && AzureFinder.readiness(id.get(), each) instanceof Readiness.Pending) {
                return true;
            }
        }
        return false;
    }

    /** @return false where Azure is at it still */
    private boolean isRemoved(CloudSnapshot copy) throws ProviderException {
        var begun = attempts.until(() -> calls.deleteSnapshot(copy.group(), copy.name()));
        Instant until = clock.instant().plus(REMOVAL_MAXIMUM);
        while (attempts.until(() -> calls.snapshot(copy.group(), copy.name())).isPresent()) {
            if (!clock.instant().isBefore(until)) {
                return false;
            }
            gate.pause(copy.name(), begun.askAgain());
        }
        recent.deleted(copy.id());
        return true;
    }

    private static Step<Snapshot> running(Wanted wanted, Phase phase, double progress) {
        return new Step.Running<>(AzureHandles.ofCopy(wanted, phase), progress, ASK_AGAIN);
    }
}

package io.tidemark.agent.remote;

import io.tidemark.spi.FastRestores;
import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecycleBin;
import io.tidemark.spi.SnapshotArchives;
import io.tidemark.spi.SnapshotCopies;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotLocks;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.StorageReplication;
import io.tidemark.spi.VolumeId;
import java.util.Map;

/**
 * Carries out what a controller asks of rare abilities of this host's storage. To look, a volume must be one that the rules
 * allow; for the rest the rules must allow the ability too.
 */
final class AbilityCommands {
    /** Where there is nothing to say. */
    private static final Map<String, String> DONE = Map.of();

    private final AgentService.Host host;

    AbilityCommands(AgentService.Host host) {
        this.host = host;
    }

    Object carryOut(AgentCommand.OfAbility command) throws ProviderException {
        if (!command.looks()) {
            host.rules().check(command.ability());
        }
        return switch (command) {
            case AgentCommand.OfLocks locks -> carryOut(locks);
            case AgentCommand.OfArchives archives -> carryOut(archives);
            case AgentCommand.OfFastRestores fast -> carryOut(fast);
            case AgentCommand.OfRecycleBin bin -> carryOut(bin);
            case AgentCommand.OfCopies copies -> carryOut(copies);
            case AgentCommand.OfReplication replication -> carryOut(replication);
        };
    }

    /** Goes on with what it began; the rules for the volume have been asked. */
    StepAnswer resume(HandleSeal.Opened work, AgentAbility ability) throws ProviderException {
        host.rules().check(ability);
        var step = host.providers().of(any(work.handle().provider())).resume(work.handle());
        return answer(step, work.volume(), ability);
    }

    private Object carryOut(AgentCommand.OfLocks command) throws ProviderException {
        return switch (command) {
            case AgentCommand.AskLock(var snapshot) ->
                new RemoteAbilities.LockAnswer(locks(snapshot).lockOf(snapshot));
            case AgentCommand.LockSnapshot(var snapshot, var request) ->
                locks(snapshot).lock(snapshot, request);
            case AgentCommand.UnlockSnapshot(var snapshot) -> {
                locks(snapshot).unlock(snapshot);
                yield DONE;
            }
        };
    }

    private SnapshotLocks locks(SnapshotId snapshot) throws ProviderException {
        return of(snapshot.volume(), SnapshotLocks.class);
    }

    private Object carryOut(AgentCommand.OfArchives command) throws ProviderException {
        return switch (command) {
            case AgentCommand.AskTier(var snapshot) -> archives(snapshot).tierOf(snapshot);
            case AgentCommand.ArchiveSnapshot(var snapshot) ->
                archives(snapshot).archive(snapshot);
            case AgentCommand.RestoreSnapshot(var snapshot, var days) ->
                archives(snapshot).restore(snapshot, days);
        };
    }

    private SnapshotArchives archives(SnapshotId snapshot) throws ProviderException {
        return of(snapshot.volume(), SnapshotArchives.class);
    }

    private Object carryOut(AgentCommand.OfFastRestores command) throws ProviderException {
        return switch (command) {
            case AgentCommand.AskFastRestores(var snapshot) ->
                of(snapshot.volume(), FastRestores.class).fastRestores(snapshot);
            case AgentCommand.SetFastRestore(var snapshot, var zones, var on) ->
                of(snapshot.volume(), FastRestores.class).setFastRestore(snapshot, zones, on);
            case AgentCommand.AskFastRestoreCost(var provider, var zones) ->
                of(host.providers().of(any(provider)), FastRestores.class).fastRestoreCost(zones);
        };
    }

    private Object carryOut(AgentCommand.OfRecycleBin command) throws ProviderException {
        return switch (command) {
            case AgentCommand.ListBinned(var provider) ->
                of(host.providers().of(any(provider)), RecycleBin.class).binned().stream()
                        .filter(each -> host.rules().allows(each.id().volume()))
                        .toList();
            case AgentCommand.UndeleteSnapshot(var snapshot) -> {
                of(snapshot.volume(), RecycleBin.class).undelete(snapshot);
                yield DONE;
            }
        };
    }

    private Object carryOut(AgentCommand.OfCopies command) throws ProviderException {
        return switch (command) {
            case AgentCommand.CopySnapshot(var to, var snapshot, var key) -> {
                host.rules().check(snapshot.volume());
                var copy = VolumeId.of(to, snapshot.volume().name());
                var source = host.providers().of(snapshot.volume());
                var step = of(copy, SnapshotCopies.class).copyOf(source, snapshot, key);
                yield answer(step, copy, command.ability());
            }
            case AgentCommand.AskCopyPhase(var handle) -> phase(handle);
        };
    }

    private String phase(Handle handle) throws ProviderException {
        var work = host.seal().opened(handle);
        return of(work.volume(), SnapshotCopies.class).phase(work.handle());
    }

    private Object carryOut(AgentCommand.OfReplication command) throws ProviderException {
        return switch (command) {
            case AgentCommand.AskReplication(var volume) ->
                of(volume, StorageReplication.class).replication(volume);
            case AgentCommand.StartReplication(var primary, var secondary) -> {
                host.rules().check(secondary);
                var step = of(primary, StorageReplication.class).startReplication(primary, secondary);
                yield answer(step, primary, command.ability());
            }
            case AgentCommand.StopReplication(var volume, var wholeGroup, var accepted) -> {
                var storage = of(volume, StorageReplication.class);
                if (wholeGroup) {
                    checkAllOf(host.providers().of(volume));
                }
                yield answer(storage.stopReplication(volume, wholeGroup, accepted), volume, command.ability());
            }
        };
    }

    /** A group of the storage's may hold any of its volumes. */
    private void checkAllOf(StorageProvider provider) throws ProviderException {
        for (var volume : provider.volumes()) {
            host.rules().check(volume.id());
        }
    }

    private StepAnswer answer(Step<?> step, VolumeId volume, AgentAbility ability) {
        return StepAnswer.of(host.seal().sealed(step, volume, ability));
    }

    private <T> T of(VolumeId volume, Class<T> type) throws ProviderException {
        host.rules().check(volume);
        return of(host.providers().of(volume), type);
    }

    private static <T> T of(StorageProvider provider, Class<T> type) throws ProviderException {
        return provider.ability(type)
                .orElseThrow(() -> new ProviderException(new ProviderError.Conflict(
                        "provider " + provider.name(), "its storage has no %s".formatted(type.getSimpleName()))));
    }

    private static VolumeId any(String provider) {
        return VolumeId.of(provider, "any");
    }
}

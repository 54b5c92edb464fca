package io.tidemark.agent.remote;

import io.tidemark.spi.FastRestores;
import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecycleBin;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotArchives;
import io.tidemark.spi.SnapshotCopies;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotLocks;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.StorageReplication;
import io.tidemark.spi.VolumeId;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The rare abilities of a storage of an agent's host, each asked by a command; which it has, {@link AgentOffer} says. */
final class RemoteAbilities
        implements SnapshotLocks, SnapshotArchives, FastRestores, RecycleBin, SnapshotCopies, StorageReplication {
    private final RemoteProvider remote;

    /** An empty answer does not travel alone. */
    record LockAnswer(Optional<SnapshotLock> lock) {}

    RemoteAbilities(RemoteProvider remote) {
        this.remote = remote;
    }

    @Override
    public Optional<SnapshotLock> lockOf(SnapshotId snapshot) throws ProviderException {
        return remote.ask(new AgentCommand.AskLock(RemoteProvider.local(snapshot)), LockAnswer.class)
                .lock();
    }

    @Override
    public SnapshotLock lock(SnapshotId snapshot, LockRequest request) throws ProviderException {
        return remote.ask(new AgentCommand.LockSnapshot(RemoteProvider.local(snapshot), request), SnapshotLock.class);
    }

    @Override
    public void unlock(SnapshotId snapshot) throws ProviderException {
        remote.tell(new AgentCommand.UnlockSnapshot(RemoteProvider.local(snapshot)));
    }

    @Override
    public TierState tierOf(SnapshotId snapshot) throws ProviderException {
        return remote.ask(new AgentCommand.AskTier(RemoteProvider.local(snapshot)), TierState.class);
    }

    @Override
    public TierState archive(SnapshotId snapshot) throws ProviderException {
        return remote.ask(new AgentCommand.ArchiveSnapshot(RemoteProvider.local(snapshot)), TierState.class);
    }

    @Override
    public TierState restore(SnapshotId snapshot, Optional<Integer> days) throws ProviderException {
        return remote.ask(new AgentCommand.RestoreSnapshot(RemoteProvider.local(snapshot), days), TierState.class);
    }

    @Override
    public List<FastRestore> fastRestores(SnapshotId snapshot) throws ProviderException {
        return List.of(
                remote.ask(new AgentCommand.AskFastRestores(RemoteProvider.local(snapshot)), FastRestore[].class));
    }

    @Override
    public List<FastRestore> setFastRestore(SnapshotId snapshot, List<String> zones, boolean on)
            throws ProviderException {
        return List.of(remote.ask(
                new AgentCommand.SetFastRestore(RemoteProvider.local(snapshot), zones, on), FastRestore[].class));
    }

    @Override
    public String fastRestoreCost(int zones) {
        return phrase(new AgentCommand.AskFastRestoreCost(remote.provider(), zones));
    }

    /** What is there for people alone keeps nobody from the rest. */
    private String phrase(AgentCommand.OfAbility question) {
        try {
            return remote.ask(question, String.class);
        } catch (ProviderException e) {
            return "not told: " + e.error().message();
        }
    }

    @Override
    public List<Binned> binned() throws ProviderException {
        return Stream.of(remote.ask(new AgentCommand.ListBinned(remote.provider()), Binned[].class))
                .map(each -> new Binned(remote.named(each.id()), each.deletedAt(), each.goneAt()))
                .toList();
    }

    @Override
    public void undelete(SnapshotId snapshot) throws ProviderException {
        remote.tell(new AgentCommand.UndeleteSnapshot(RemoteProvider.local(snapshot)));
    }

    @Override
    public Step<Snapshot> copyOf(StorageProvider source, SnapshotId snapshot, Optional<String> key)
            throws ProviderException {
        if (!copiesFrom(source)) {
            throw new ProviderException(new ProviderError.Conflict(
                    snapshot.toString(),
                    "provider %s copies from another of its kind of the same agent, not from %s"
                            .formatted(remote.name(), source.name())));
        }
        var answer = remote.ask(
                new AgentCommand.CopySnapshot(remote.provider(), RemoteProvider.local(snapshot), key),
                StepAnswer.class);
        return step(answer, answer.copy().map(remote::named));
    }

    @Override
    public boolean copiesFrom(StorageProvider source) {
        return source instanceof RemoteProvider other && remote.copiesFrom(other);
    }

    @Override
    public String phase(Handle handle) {
        return phrase(new AgentCommand.AskCopyPhase(remote.local(handle)));
    }

    @Override
    public Status replication(VolumeId volume) throws ProviderException {
        return remote.named(remote.ask(new AgentCommand.AskReplication(volume.onItsHost()), Status.class));
    }

    @Override
    public Step<Status> startReplication(VolumeId primary, VolumeId secondary) throws ProviderException {
        var answer = remote.ask(
                new AgentCommand.StartReplication(primary.onItsHost(), secondary.onItsHost()), StepAnswer.class);
        return step(answer, answer.replication().map(remote::named));
    }

    @Override
    public Step<Status> stopReplication(VolumeId volume, boolean wholeGroup, boolean newSecondaryAccepted)
            throws ProviderException {
        var answer = remote.ask(
                new AgentCommand.StopReplication(volume.onItsHost(), wholeGroup, newSecondaryAccepted),
                StepAnswer.class);
        return step(answer, answer.replication().map(remote::named));
    }

    private <T> Step<T> step(StepAnswer answer, Optional<T> result) throws ProviderException {
        if (answer.running().isPresent()) {
            return remote.running(answer.running().get());
        }
        return new Step.Done<>(result.orElseThrow(() -> new ProviderException(new ProviderError.Unexpected(
                "provider " + remote.name(), "neither what was asked for nor work in progress"))));
    }
}

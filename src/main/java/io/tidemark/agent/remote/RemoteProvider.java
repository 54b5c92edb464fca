package io.tidemark.agent.remote;

import io.tidemark.agent.AsksAbilities;
import io.tidemark.agent.RemembersWork;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.Cut;
import io.tidemark.spi.CutForecast;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.Handle;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotPage;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.StorageReplication;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A provider of an agent's host, asked over its connection. Content does not travel here: its volumes have no capability
 * that reads or writes. Names of volumes have the agent's name before them.
 */
final class RemoteProvider implements StorageProvider, RemembersWork, AsksAbilities {
    /** Methods of the SPI never block for minutes; a tool's time limit is one minute. */
    private static final Duration CALL_LIMIT = Duration.ofSeconds(90);

    private static final Set<Capability> CONTENT = EnumSet.of(
            Capability.RANDOM_READ, Capability.RANDOM_WRITE, Capability.CHANGED_RANGES, Capability.TRACKED_CHANGES);

    /**
     * One connection of an agent.
     *
     * @param version of commands that are used over it
     * @param fingerprint of the agent's key
     */
    record Session(String agent, AgentCalls calls, int version, String fingerprint) {}

    private final Session session;
    private final String provider;
    private final AgentOffer.Abilities abilities;
    private final Optional<String> work;

    /** @param provider its name on the agent's host */
    RemoteProvider(Session session, String provider, AgentOffer.Abilities abilities) {
        this(session, provider, abilities, Optional.empty());
    }

    private RemoteProvider(Session session, String provider, AgentOffer.Abilities abilities, Optional<String> work) {
        this.session = session;
        this.provider = provider;
        this.abilities = abilities;
        this.work = work;
    }

    @Override
    public Optional<StorageProvider> under(String id) {
        return session.version() < CommandVersions.REMEMBERS_SINCE
                ? Optional.empty()
                : Optional.of(new RemoteProvider(session, provider, abilities, Optional.of(id)));
    }

    @Override
    public Optional<String> abilitiesUntold() {
        return session.version() < CommandVersions.ABILITIES_SINCE
                ? Optional.of(
                        ("it is of agent %s, whose software is of before such a thing could be asked of it (commands %d,"
                                        + " %d are needed): install there what this site runs")
                                .formatted(session.agent(), session.version(), CommandVersions.ABILITIES_SINCE))
                : Optional.empty();
    }

    @Override
    public <T> Optional<T> ability(Class<T> type) {
        return AgentAbility.of(type)
                .filter(ability -> abilitiesUntold().isEmpty() && abilities.has(ability))
                .map(ability -> type.cast(new RemoteAbilities(this)));
    }

    /** Its name on the agent's host. */
    String provider() {
        return provider;
    }

    /** Whether its storage copies snapshots of the other by itself. */
    boolean copiesFrom(RemoteProvider other) {
        return session.agent().equals(other.session.agent())
                && abilities.copiesFrom().contains(other.provider);
    }

    @Override
    public String rememberedBy() {
        return session.fingerprint();
    }

    @Override
    public String name() {
        return session.agent() + "/" + provider;
    }

    @Override
    public List<Volume> volumes() throws ProviderException {
        return Arrays.stream(ask(new AgentCommand.ListVolumes(provider), Volume[].class))
                .map(this::named)
                .toList();
    }

    @Override
    public Volume volume(VolumeId volume) throws ProviderException {
        return named(ask(new AgentCommand.FindVolume(volume.onItsHost()), Volume.class));
    }

    @Override
    public Volume create(VolumeId volume, long sizeBytes) throws ProviderException {
        if (startCreate(volume, sizeBytes) instanceof Step.Done<Volume>(var made)) {
            return made;
        }
        throw new ProviderException(new ProviderError.Busy(volume.value(), "its making", Duration.ofSeconds(1)));
    }

    @Override
    public Step<Volume> startCreate(VolumeId volume, long sizeBytes) throws ProviderException {
        return volumeStep(new AgentCommand.CreateVolume(volume.onItsHost(), sizeBytes));
    }

    @Override
    public void remove(VolumeId volume) throws ProviderException {
        tell(new AgentCommand.RemoveVolume(volume.onItsHost()));
    }

    @Override
    public CutForecast forecast(List<VolumeId> volumes) throws ProviderException {
        return ask(new AgentCommand.ForecastCut(local(volumes)), CutForecast.class);
    }

    @Override
    public void prepare(CutRequest request) throws ProviderException {
        tell(new AgentCommand.PrepareCut(local(request)));
    }

    @Override
    public Cut cut(CutRequest request) throws ProviderException {
        var cut = ask(new AgentCommand.CutVolumes(local(request)), Cut.class);
        return new Cut(
                cut.atomic(),
                cut.members().stream()
                        .map(member ->
                                new Cut.Member(named(member.snapshot()), member.startedNanos(), member.finishedNanos()))
                        .toList());
    }

    @Override
    public Readiness readiness(SnapshotId snapshot) throws ProviderException {
        return ask(new AgentCommand.AskReadiness(local(snapshot)), Readiness.class);
    }

    @Override
    public SnapshotPage snapshots(SnapshotQuery query) throws ProviderException {
        var local = new SnapshotQuery(
                query.volume().map(VolumeId::onItsHost), query.recoveryPoint(), query.cursor(), query.limit());
        var page = ask(new AgentCommand.ListSnapshots(provider, local), SnapshotPage.class);
        return new SnapshotPage(page.snapshots().stream().map(this::named).toList(), page.nextCursor());
    }

    @Override
    public SnapshotReader read(SnapshotId snapshot) throws ProviderException {
        throw contentStays(snapshot.volume());
    }

    @Override
    public ChangedRanges changedRanges(SnapshotId older, SnapshotId newer) throws ProviderException {
        throw contentStays(older.volume());
    }

    @Override
    public ChangedRanges allocatedRanges(SnapshotId snapshot) throws ProviderException {
        throw contentStays(snapshot.volume());
    }

    @Override
    public VolumeWriter write(VolumeId volume) throws ProviderException {
        throw contentStays(volume);
    }

    private static ProviderException contentStays(VolumeId volume) {
        return new ProviderException(new ProviderError.Conflict(
                volume.value(), "the content of an agent's volume does not pass through its controller"));
    }

    @Override
    public Step<Volume> clone(CloneRequest request) throws ProviderException {
        return volumeStep(new AgentCommand.CloneSnapshot(
                new CloneRequest(local(request.snapshot()), request.name().onItsHost())));
    }

    @Override
    public Step<Volume> rollback(SnapshotId snapshot) throws ProviderException {
        return volumeStep(new AgentCommand.RollBack(local(snapshot)));
    }

    @Override
    public void refuseWhileOpen(VolumeId volume) throws ProviderException {
        tell(new AgentCommand.RefuseWhileOpen(volume.onItsHost()));
    }

    @Override
    public void hold(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        tell(new AgentCommand.HoldSnapshot(local(snapshot), owner));
    }

    @Override
    public void release(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        tell(new AgentCommand.ReleaseSnapshot(local(snapshot), owner));
    }

    @Override
    public Step<Boolean> delete(SnapshotId snapshot) throws ProviderException {
        var answer = ask(new AgentCommand.DeleteSnapshot(local(snapshot)), StepAnswer.class);
        return answer.running().<Step<Boolean>>map(this::running).orElseGet(() -> new Step.Done<>(answer.yes()));
    }

    @Override
    public Step<?> resume(Handle handle) throws ProviderException {
        var answer = ask(new AgentCommand.ResumeStep(local(handle)), StepAnswer.class);
        if (answer.running().isPresent()) {
            return running(answer.running().get());
        }
        if (answer.volume().isPresent()) {
            return new Step.Done<>(named(answer.volume().get()));
        }
        if (answer.copy().isPresent()) {
            return new Step.Done<>(named(answer.copy().get()));
        }
        return answer.replication().isPresent()
                ? new Step.Done<>(named(answer.replication().get()))
                : new Step.Done<>(answer.yes());
    }

    /** As the agent knows it. */
    Handle local(Handle handle) {
        return new Handle(provider, handle.token());
    }

    private String agent() {
        return "agent " + session.agent();
    }

    private Step<Volume> volumeStep(AgentCommand.Lasting what) throws ProviderException {
        AgentCommand command = work.isPresent() ? new AgentCommand.DoOnce(work.orElseThrow(), what) : what;
        var answer = ask(command, StepAnswer.class);
        if (answer.running().isPresent()) {
            return running(answer.running().get());
        }
        return new Step.Done<>(named(answer.volume()
                .orElseThrow(() -> new ProviderException(
                        new ProviderError.Unexpected(agent(), "neither a volume nor work in progress")))));
    }

    <T> Step<T> running(StepAnswer.Running running) {
        return new Step.Running<>(
                new Handle(name(), running.handle().token()), running.progress(), running.askAgainAfter());
    }

    <T> T ask(AgentCommand command, Class<T> answer) throws ProviderException {
        try {
            return session.calls().call(command, CALL_LIMIT, answer);
        } catch (AgentCallException e) {
            throw failure(command, e);
        } catch (IllegalArgumentException e) {
            throw new ProviderException(new ProviderError.Unexpected(agent(), String.valueOf(e.getMessage())), e);
        }
    }

    void tell(AgentCommand command) throws ProviderException {
        try {
            session.calls().tell(command, CALL_LIMIT);
        } catch (AgentCallException e) {
            throw failure(command, e);
        }
    }

    /**
     * Whether an agent's storage that cannot be reached is told as that, for whoever asks to ask again: what may be asked
     * again as it was. Of the rest, Unreachable says that the agent itself is away.
     */
    private static boolean isAskedAgain(AgentCommand command) {
        return command instanceof AgentCommand.OfAbility
                || command instanceof AgentCommand.ResumeStep
                || command instanceof AgentCommand.AskReadiness;
    }

    private ProviderException failure(AgentCommand command, AgentCallException e) {
        var error = e.failure()
                .<ProviderError>map(failure -> switch (failure) {
                    case AgentFailure.OfStorage(ProviderError.Unreachable(var object, var reason))
                    when isAskedAgain(command) -> new ProviderError.Unreachable(named(object), reason);
                    case AgentFailure.OfStorage(var storage) -> named(storage);
                    case AgentFailure.OfConsistency(var consistency) ->
                        new ProviderError.Unexpected(agent(), consistency.message());
                    // Which is asked again, as where nothing was answered.
                    case AgentFailure.AskAgain(var message) -> new ProviderError.Unreachable(agent(), message);
                    case AgentFailure.Other(var message) -> new ProviderError.Unexpected(agent(), message);
                })
                .orElseGet(() -> new ProviderError.Unreachable(agent(), String.valueOf(e.getMessage())));
        return new ProviderException(error, e);
    }

    /** With the agent's name before what the agent calls by its own. */
    private ProviderError named(ProviderError error) {
        return switch (error) {
            case ProviderError.VolumeNotFound(var volume) ->
                new ProviderError.VolumeNotFound(volume.at(session.agent()));
            case ProviderError.VolumeExists(var volume) -> new ProviderError.VolumeExists(volume.at(session.agent()));
            case ProviderError.SnapshotNotFound(var snapshot) -> new ProviderError.SnapshotNotFound(named(snapshot));
            case ProviderError.Held(var snapshot, var owners) -> new ProviderError.Held(named(snapshot), owners);
            case ProviderError.OutOfSpace(var object, var free, var needed) ->
                new ProviderError.OutOfSpace(named(object), free, needed);
            case ProviderError.Busy(var object, var holder, var again) ->
                new ProviderError.Busy(named(object), holder, again);
            case ProviderError.Conflict(var object, var reason) -> new ProviderError.Conflict(named(object), reason);
            case ProviderError.Denied(var object, var right) -> new ProviderError.Denied(named(object), right);
            case ProviderError.Corrupt(var object, var evidence) -> new ProviderError.Corrupt(named(object), evidence);
            // The agent itself was reached.
            case ProviderError.Unreachable _ -> new ProviderError.Unexpected(agent(), error.message());
            case ProviderError.Unexpected _ -> error;
        };
    }

    private String named(String object) {
        return "%s at agent %s".formatted(object, session.agent());
    }

    private Volume named(Volume volume) {
        var capabilities = EnumSet.noneOf(Capability.class);
        capabilities.addAll(volume.capabilities());
        capabilities.removeAll(CONTENT);
        return new Volume(
                volume.id().at(session.agent()),
                volume.sizeBytes(),
                capabilities,
                Optional.empty(),
                List.of(),
                volume.facts());
    }

    Snapshot named(Snapshot snapshot) {
        return new Snapshot(named(snapshot.id()), snapshot.sizeBytes(), snapshot.createdAt());
    }

    StorageReplication.Status named(StorageReplication.Status status) {
        return new StorageReplication.Status(
                status.volume().at(session.agent()),
                status.state(),
                status.partners().stream()
                        .map(partner -> partner.at(session.agent()))
                        .toList(),
                status.groups(),
                status.costOfStop());
    }

    SnapshotId named(SnapshotId snapshot) {
        return new SnapshotId(snapshot.volume().at(session.agent()), snapshot.recoveryPoint());
    }

    static SnapshotId local(SnapshotId snapshot) {
        return new SnapshotId(snapshot.volume().onItsHost(), snapshot.recoveryPoint());
    }

    private static List<VolumeId> local(List<VolumeId> volumes) {
        return volumes.stream().map(VolumeId::onItsHost).toList();
    }

    private static CutRequest local(CutRequest request) {
        RecoveryPointId point = request.recoveryPoint();
        return new CutRequest(point, local(request.volumes()));
    }

    /** The agent's storage is its own to close. */
    @Override
    public void close() {}
}

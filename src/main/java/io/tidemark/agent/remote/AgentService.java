package io.tidemark.agent.remote;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemark.agent.HostTake;
import io.tidemark.agent.LocalRecoveryPointTaker;
import io.tidemark.agent.Providers;
import io.tidemark.agent.SteppedTake;
import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.spi.Capability;
import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotPage;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out what a controller asks, as far as this host's configuration allows it. What was begun over a connection
 * ends with it: whatever is frozen then goes on.
 */
final class AgentService implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AgentService.class);

    /** Commands carried out at one time; one more is refused. */
    private static final int COMMANDS_MAXIMUM = 64;
    /** Ids remembered; one matters for as long as a command is under way. */
    private static final int ABANDONED_MAXIMUM = 10_000;
    /** What is frozen ends with its limit at the latest; who stops does not wait for it longer. */
    private static final Duration END_LIMIT = Duration.ofSeconds(10);

    private final Host host;
    private final AbilityCommands abilities;
    private final String agent;
    private final Semaphore commands = new Semaphore(COMMANDS_MAXIMUM);
    private final Map<RecoveryPointId, HostTake> takes = new ConcurrentHashMap<>();
    /** What was ended, perhaps before it was begun: commands of one connection are carried out side by side. */
    private final Set<RecoveryPointId> abandoned = ConcurrentHashMap.newKeySet();

    private volatile boolean closed;

    /** What acts here, and what it may be asked for. */
    record Host(
            Providers providers,
            LocalRecoveryPointTaker taker,
            AgentRules rules,
            BegunWork begun,
            HandleSeal seal,
            RandomGenerator random,
            CommandVersions versions) {}

    /** @param agent this host's name at the controller */
    AgentService(Host host, String agent) {
        this.host = host;
        this.abilities = new AbilityCommands(host);
        this.agent = agent;
    }

    /** Answers later: the receiving thread goes on. */
    void take(AgentCalls.Asked asked) {
        if (kind(asked.command()).equals(AgentCommand.AbandonPoint.class.getSimpleName())) {
            // Never refused for the others' sake: it is what lets writers go.
            Thread.ofVirtual().name("tidemark-agent-command").start(() -> answer(asked));
            return;
        }
        if (!commands.tryAcquire()) {
            var reason = "%d commands are being carried out".formatted(COMMANDS_MAXIMUM);
            // The work itself may be one of them, or go on at the storage.
            boolean lasts = kind(asked.command()).equals(AgentCommand.DoOnce.class.getSimpleName());
            asked.refuse().accept(lasts ? new AgentFailure.AskAgain(reason) : new AgentFailure.Other(reason));
            return;
        }
        Thread.ofVirtual().name("tidemark-agent-command").start(() -> {
            try {
                answer(asked);
            } finally {
                commands.release();
            }
        });
    }

    private void answer(AgentCalls.Asked asked) {
        try {
            var command = AgentJson.read(asked.command(), AgentCommand.class);
            if (command.version() > host.versions().newest()) {
                throw new IllegalArgumentException("%s is of version %d, and this agent carries out %s"
                        .formatted(kind(asked.command()), command.version(), host.versions()));
            }
            asked.answer().accept(AgentJson.tree(carryOut(command)));
        } catch (ProviderException e) {
            asked.refuse().accept(new AgentFailure.OfStorage(e.error()));
        } catch (ConsistencyException e) {
            asked.refuse().accept(new AgentFailure.OfConsistency(e.error()));
        } catch (AskAgainException e) {
            asked.refuse().accept(new AgentFailure.AskAgain(String.valueOf(e.getMessage())));
        } catch (RuntimeException e) {
            LOG.warn("agent.command_failed command={}", kind(asked.command()), e);
            asked.refuse().accept(new AgentFailure.Other(e.toString()));
        }
    }

    private static String kind(JsonNode command) {
        return command.path("is").asText();
    }

    /** Where there is nothing to say. */
    private static final Map<String, String> DONE = Map.of();

    private Object carryOut(AgentCommand command) throws ProviderException, ConsistencyException, AskAgainException {
        return switch (command) {
            case AgentCommand.OfStorage storage -> carryOut(storage);
            case AgentCommand.OfPoint point -> carryOut(point);
        };
    }

    private Object carryOut(AgentCommand.OfStorage command) throws ProviderException, AskAgainException {
        return switch (command) {
            case AgentCommand.ListVolumes(var provider) ->
                provider(provider).volumes().stream()
                        .filter(volume -> host.rules().allows(volume.id()))
                        .map(this::told)
                        .toList();
            case AgentCommand.FindVolume(var volume) -> told(of(volume).volume(volume));
            case AgentCommand.Lasting lasting -> {
                check(lasting);
                yield step(begin(lasting), lasting.volume(), lasting.overwrites());
            }
            case AgentCommand.DoOnce(var work, var what) -> {
                // Each time: what was allowed when it was begun may be allowed no more.
                check(what);
                var provider = of(what.volume());
                yield step(
                        host.begun().once(work, what, provider, () -> begin(what)), what.volume(), what.overwrites());
            }
            case AgentCommand.RemoveVolume(var volume) -> {
                host.rules().checkOverwrite(volume);
                of(volume).remove(volume);
                yield DONE;
            }
            case AgentCommand.ForecastCut(var volumes) -> of(volumes).forecast(volumes);
            case AgentCommand.PrepareCut(var request) -> {
                of(request.volumes()).prepare(request);
                yield DONE;
            }
            case AgentCommand.CutVolumes(var request) -> of(request.volumes()).cut(request);
            case AgentCommand.ListSnapshots(var provider, var query) -> snapshots(provider, query);
            case AgentCommand.AskReadiness(var snapshot) ->
                of(snapshot.volume()).readiness(snapshot);
            case AgentCommand.RefuseWhileOpen(var volume) -> {
                host.rules().checkOverwrite(volume);
                of(volume).refuseWhileOpen(volume);
                yield DONE;
            }
            case AgentCommand.HoldSnapshot(var snapshot, var owner) -> {
                of(snapshot.volume()).hold(snapshot, owner);
                yield DONE;
            }
            case AgentCommand.ReleaseSnapshot(var snapshot, var owner) -> {
                of(snapshot.volume()).release(snapshot, owner);
                yield DONE;
            }
            case AgentCommand.DeleteSnapshot(var snapshot) ->
                step(of(snapshot.volume()).delete(snapshot), snapshot.volume(), false);
            case AgentCommand.ResumeStep(var handle) -> resume(handle);
            case AgentCommand.OfAbility ability -> abilities.carryOut(ability);
        };
    }

    private void check(AgentCommand.Lasting command) throws ProviderException {
        if (command.overwrites()) {
            host.rules().checkOverwrite(command.volume());
        }
        host.rules().check(command.volume());
        if (command instanceof AgentCommand.CloneSnapshot(var request)) {
            host.rules().check(request.snapshot().volume());
        }
    }

    private Step<Volume> begin(AgentCommand.Lasting command) throws ProviderException {
        var provider = of(command.volume());
        return switch (command) {
            case AgentCommand.CreateVolume(var volume, var size) -> provider.startCreate(volume, size);
            case AgentCommand.CloneSnapshot(var request) -> provider.clone(request);
            case AgentCommand.RollBack(var snapshot) -> provider.rollback(snapshot);
        };
    }

    /** The rules are asked as they are now, not as they were when the handle was given out. */
    private StepAnswer resume(Handle handle) throws ProviderException {
        var work = host.seal().opened(handle);
        if (work.overwrites()) {
            host.rules().checkOverwrite(work.volume());
        } else {
            host.rules().check(work.volume());
        }
        if (work.ability().isPresent()) {
            return abilities.resume(work, work.ability().get());
        }
        if (work.ended()) {
            throw new ProviderException(BegunWork.cutOff(work.volume()));
        }
        return step(provider(handle.provider()).resume(work.handle()), work.volume(), work.overwrites());
    }

    private Object carryOut(AgentCommand.OfPoint command) throws ProviderException, ConsistencyException {
        return switch (command) {
            case AgentCommand.PlanPoint(var id, var group) -> host.taker().plan(id, checked(group));
            case AgentCommand.PreparePoint(var id, var group) -> prepare(id, checked(group));
            case AgentCommand.WriteOutPoint(var id) -> {
                begun(id).writeOut();
                yield DONE;
            }
            case AgentCommand.FreezePoint(var id) -> begun(id).freeze();
            case AgentCommand.CutPoint(var id, var frozen) -> begun(id).cut(frozen);
            case AgentCommand.FinishPoint(var id, var cut) -> finish(id, cut);
            case AgentCommand.AbandonPoint(var id) -> abandon(id);
            case AgentCommand.UndoPoint(var id) -> {
                host.taker().undo(id, host.rules()::allows);
                yield DONE;
            }
        };
    }

    private StepAnswer step(Step<?> step, VolumeId volume, boolean overwrites) {
        var answer = StepAnswer.of(host.seal().sealed(step, volume, overwrites));
        return answer.volume()
                .map(made -> StepAnswer.of(new Step.Done<>(told(made))))
                .orElse(answer);
    }

    /** As another host may know it: it has no use for paths of this one but to show them. */
    private Volume told(Volume volume) {
        var facts = new TreeMap<>(volume.facts());
        volume.device().ifPresent(device -> facts.put("device", device.toString()));
        if (!volume.mountPoints().isEmpty()) {
            facts.put("mountPoints", volume.mountPoints().toString());
        }
        var capabilities = new HashSet<>(volume.capabilities());
        if (!host.rules().overwrite()) {
            capabilities.remove(Capability.ROLLBACK);
        }
        return new Volume(volume.id(), volume.sizeBytes(), capabilities, Optional.empty(), List.of(), facts);
    }

    private SnapshotPage snapshots(String provider, SnapshotQuery query) throws ProviderException {
        var page = provider(provider).snapshots(query);
        return new SnapshotPage(
                page.snapshots().stream()
                        .filter(snapshot -> host.rules().allows(snapshot.id().volume()))
                        .toList(),
                page.nextCursor());
    }

    private StorageProvider provider(String name) throws ProviderException {
        return host.providers().of(VolumeId.of(name, "any"));
    }

    private StorageProvider of(VolumeId volume) throws ProviderException {
        host.rules().check(volume);
        return host.providers().of(volume);
    }

    private StorageProvider of(List<VolumeId> volumes) throws ProviderException {
        for (var volume : volumes) {
            host.rules().check(volume);
        }
        return host.providers().of(volumes.getFirst());
    }

    private ConsistencyGroup checked(ConsistencyGroup group) throws ProviderException, ConsistencyException {
        for (var volume : group.volumes()) {
            host.rules().check(volume);
        }
        for (var quiescer : group.quiescers()) {
            host.rules().check(quiescer, host.taker().secretSettings(quiescer.kind()));
        }
        return group;
    }

    private Object prepare(RecoveryPointId id, ConsistencyGroup group) throws ConsistencyException {
        var take = new SteppedTake(host.taker(), id, group, agent, host.random());
        if (takes.putIfAbsent(id, take) != null) {
            throw notTogether("%s was begun already".formatted(id));
        }
        boolean prepared = false;
        try {
            // Looked at after it can be seen: whoever ends the parts meanwhile ends this one, or is seen here.
            if (closed || abandoned.contains(id)) {
                throw notTogether("%s was ended before it was begun".formatted(id));
            }
            take.prepare();
            prepared = true;
            return DONE;
        } finally {
            if (!prepared) {
                takes.remove(id);
            }
        }
    }

    private static ConsistencyException notTogether(String reason) {
        return new ConsistencyException(new ConsistencyError.NotTogether(reason));
    }

    private HostTake begun(RecoveryPointId id) throws ConsistencyException {
        var take = takes.get(id);
        if (take == null) {
            throw notTogether("%s was not begun here".formatted(id));
        }
        return take;
    }

    private Object finish(RecoveryPointId id, Map<String, String> cut) throws ConsistencyException {
        try {
            return begun(id).finish(cut);
        } finally {
            takes.remove(id);
        }
    }

    private Object abandon(RecoveryPointId id) {
        if (abandoned.size() >= ABANDONED_MAXIMUM) {
            abandoned.clear();
        }
        abandoned.add(id);
        var take = takes.remove(id);
        if (take != null) {
            take.close();
        }
        return DONE;
    }

    /** The connection has ended: so does every part that was begun over it, all at once. */
    @Override
    public void close() {
        closed = true;
        var ending = takes.keySet().stream()
                .map(id -> Thread.ofVirtual().name("tidemark-part-end").start(() -> {
                    LOG.warn("agent.part_ended recoveryPoint={} reason=\"the controller's connection has ended\"", id);
                    abandon(id);
                }))
                .toList();
        long until = System.nanoTime() + END_LIMIT.toNanos();
        try {
            for (var one : ending) {
                boolean ended = one.join(Duration.ofNanos(Math.max(1, until - System.nanoTime())));
                if (!ended) {
                    LOG.warn("agent.part_still_ending limitMillis={}", END_LIMIT.toMillis());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

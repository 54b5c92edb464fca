package io.tidemark.control;

import io.tidemark.agent.TargetSessions;
import io.tidemark.control.document.Json;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.LinkState;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Operation;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.policy.LinkEvent;
import io.tidemark.spi.RecoveryPointId;
import java.util.List;
import java.util.Optional;

/** Stops a link at either side: nothing is taken, sent or received over it until it is resumed. */
public final class PauseLink {
    private final Inventory inventory;
    private final LinkStates states;
    private final Operations operations;
    private final TargetSessions targetSessions;
    private final Moments moments;

    PauseLink(Inventory inventory, ControlPorts ports, Operations operations) {
        this.inventory = inventory;
        this.states = new LinkStates(ports.stores().links());
        this.operations = operations;
        this.targetSessions = ports.agents().targetSessions();
        this.moments = ports.moments();
    }

    /**
     * Written down first, then told to what runs: a synchronisation ends at its last synced frame and is what
     * {@link ResumeLink} goes on with. Twice is once.
     *
     * @throws ControlException NotFound; LinkState while the link is being reversed
     */
    public ReplicationLink pause(LinkId id) throws ControlException {
        var link = inventory.link(id);
        var stopped = sending(running(id));
        var paused = states.move(
                id, LinkEvent.PAUSE_ASKED, link.state() == LinkState.PAUSED ? stopped.or(link::underway) : stopped);
        moments.reached(Moment.LINK_PAUSED);
        // Looked for again: one that began before the pause was written has not seen it.
        var running = running(id);
        if (paused.underway().isEmpty() && sending(running).isPresent()) {
            paused = states.move(id, LinkEvent.PAUSE_ASKED, sending(running));
        }
        for (var operation : running) {
            operations.cancelQuietly(operation.id());
        }
        if (paused.role() == ReplicationLink.Role.TARGET) {
            targetSessions.interrupt(id);
        }
        return paused;
    }

    /** Those that send; a verification only reads, and ends by itself. */
    private List<Operation> running(LinkId id) {
        return operations.live().stream()
                .filter(operation -> operation.subject().equals(id.value()))
                .filter(operation -> operation.kind().equals(TransferOperation.SYNC)
                        || operation.kind().equals(TransferOperation.RESYNC))
                .toList();
    }

    /** What is to go on after the pause; not a resync, which overwrites and must be asked for. */
    private static Optional<RecoveryPointId> sending(List<Operation> running) {
        return running.stream()
                .filter(operation -> operation.kind().equals(TransferOperation.SYNC))
                .map(PauseLink::point)
                .findFirst();
    }

    private static RecoveryPointId point(Operation operation) {
        return TransferOperation.point(Json.object(operation.requestJson()));
    }
}

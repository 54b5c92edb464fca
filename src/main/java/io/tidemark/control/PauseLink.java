package io.tidemark.control;

import io.tidemark.agent.TargetSessions;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.LinkState;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Operation;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.policy.LinkEvent;
import io.tidemark.spi.RecoveryPointId;
import java.util.List;

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
        var running = running(id);
        var stopped = running.stream().findFirst().map(PauseLink::point);
        boolean again = link.state() == LinkState.PAUSED;
        var paused = states.move(id, LinkEvent.PAUSE_ASKED, again ? stopped.or(link::underway) : stopped);
        moments.reached(Moment.LINK_PAUSED);
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

    private static RecoveryPointId point(Operation operation) {
        return TransferOperation.point(io.tidemark.control.document.Json.object(operation.requestJson()));
    }
}

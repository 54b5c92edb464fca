package io.tidemark.control;

import io.tidemark.control.port.LinkStore;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.LinkState;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.policy.LinkEvent;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;

/** Lets a paused link go on, first with what the pause stopped. */
public final class ResumeLink {
    private final Inventory inventory;
    private final LinkStore links;
    private final LinkStates states;
    private final SyncLink syncLink;
    private final Busy busy;
    private final InstantSource clock;

    ResumeLink(Inventory inventory, ControlPorts ports, SyncLink syncLink, Busy busy) {
        this.inventory = inventory;
        this.links = ports.stores().links();
        this.states = new LinkStates(links);
        this.syncLink = syncLink;
        this.busy = busy;
        this.clock = ports.clock();
    }

    /**
     * What was under way is forgotten only when its synchronisation is written down: a crash between lets the next
     * resume start it. A resync that was stopped is not started by itself: it overwrites, and must be asked for.
     *
     * @throws ControlException NotFound; LinkState while the link is being handed over; InUse while a reversal runs
     */
    public ReplicationLink resume(LinkId id, Intent intent) throws ControlException {
        if (inventory.link(id).state() == LinkState.DRAINING) {
            // Only one whose operation is gone may be taken back.
            try (var held = busy.hold("link", id.value(), List.of(Claim.alone(id)))) {
                return states.move(id, LinkEvent.RESUME_ASKED, Optional.empty());
            }
        }
        var underway = inventory.link(id).underway();
        var link = states.move(id, LinkEvent.RESUME_ASKED, underway);
        if (link.role() != ReplicationLink.Role.SOURCE) {
            return link;
        }
        if (underway.isPresent()) {
            startAgain(link, intent);
        }
        if (link.every().isPresent()) {
            links.saveDue(new LinkStore.Due(id, clock.instant(), 0));
        }
        return inventory.link(id);
    }

    private void startAgain(ReplicationLink link, Intent intent) throws ControlException {
        try {
            syncLink.start(link.id(), link.underway(), intent);
        } catch (ControlException gone) {
            if (!(gone.error() instanceof ControlError.NotFound)) {
                throw gone;
            }
            // The recovery point was deleted meanwhile: nothing of it is left to go on with.
        }
        states.move(link.id(), LinkEvent.RESUME_ASKED, Optional.empty());
    }
}

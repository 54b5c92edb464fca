package io.tidemark.control;

import io.tidemark.control.port.LinkStore;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.LinkState;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.policy.LinkEvent;
import io.tidemark.policy.LinkTransitions;
import io.tidemark.spi.RecoveryPointId;
import java.util.Locale;
import java.util.Optional;

/** Moves links from state to state, as the table allows, each move durable before anything acts upon it. */
final class LinkStates {
    private final LinkStore links;

    LinkStates(LinkStore links) {
        this.links = links;
    }

    /**
     * @param underway what is on its way from now on
     * @throws ControlException NotFound; LinkState when the link is not where this could happen
     */
    ReplicationLink move(LinkId id, LinkEvent event, Optional<RecoveryPointId> underway) throws ControlException {
        // Decided inside the transaction that writes: what another thread wrote meanwhile is what counts.
        var refused = new LinkState[1];
        var moved = links.change(id, link -> {
            var next = LinkTransitions.next(link.state(), event);
            if (next.isEmpty()) {
                refused[0] = link.state();
                return link;
            }
            return link.in(next.orElseThrow(), underway);
        });
        if (refused[0] != null) {
            throw new ControlException(new ControlError.LinkState(id, refused[0], verb(event)));
        }
        return moved.orElseThrow(() -> new ControlException(new ControlError.NotFound("link", id.value())));
    }

    /** @throws ControlException NotFound; LinkState when the event has no meaning where the link is */
    void mustAllow(LinkId id, LinkEvent event) throws ControlException {
        var link =
                links.find(id).orElseThrow(() -> new ControlException(new ControlError.NotFound("link", id.value())));
        if (LinkTransitions.next(link.state(), event).isEmpty()) {
            throw new ControlException(new ControlError.LinkState(id, link.state(), verb(event)));
        }
    }

    /** @throws ControlException LinkState */
    static void mustBeActive(ReplicationLink link, String verb) throws ControlException {
        if (link.state() != LinkState.ACTIVE) {
            throw new ControlException(new ControlError.LinkState(link.id(), link.state(), verb));
        }
    }

    private static String verb(LinkEvent event) {
        return switch (event) {
            case PAUSE_ASKED -> "pause";
            case RESUME_ASKED -> "resume";
            case REVERSAL_ASKED, PROMOTED -> "reverse";
            case FOLLOWED -> "follow its peer";
            case DRAINED, REVERSAL_GIVEN_UP, HANDED_OVER ->
                event.name().toLowerCase(Locale.ROOT).replace('_', ' ');
        };
    }
}

package io.tidemark.control;

import io.tidemark.control.port.LinkStore;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.RateLimits;
import io.tidemark.domain.ReplicationLink;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;

/** Replaces schedule and rates of a link; a synchronisation that runs heeds the new rates. */
public final class SetLink {
    private final Inventory inventory;
    private final LinkStore links;
    private final InstantSource clock;

    SetLink(Inventory inventory, LinkStore links, InstantSource clock) {
        this.inventory = inventory;
        this.links = links;
        this.clock = clock;
    }

    /**
     * @param every how often the source takes and sends by itself; empty: only when asked
     * @param onArrival whether it sends on what its volume receives over another link
     */
    public record Settings(Optional<Duration> every, RateLimits rates, boolean onArrival) {}

    /** @throws ControlException NotFound; Invalid when a schedule is given to the side that receives */
    public ReplicationLink set(LinkId id, Settings settings) throws ControlException {
        var before = inventory.link(id);
        boolean sends = before.role() == ReplicationLink.Role.SOURCE;
        if (!sends && (settings.every().isPresent() || settings.onArrival())) {
            throw new ControlException(new ControlError.Invalid(
                    settings.every().isPresent() ? "everyMillis" : "onArrival",
                    id.value(),
                    "is the source's to say, and this side receives",
                    "at peer " + before.peer()));
        }
        var changed = links.change(id, link -> link.with(settings.every(), settings.rates(), settings.onArrival()))
                .orElseThrow(() -> new ControlException(new ControlError.NotFound("link", id.value())));
        if (changed.every().isPresent() && !changed.every().equals(before.every())) {
            links.saveDue(new LinkStore.Due(id, clock.instant(), 0));
        }
        return changed;
    }
}

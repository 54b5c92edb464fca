package io.tidemark.policy;

import static io.tidemark.domain.LinkState.ACTIVE;
import static io.tidemark.domain.LinkState.DRAINING;
import static io.tidemark.domain.LinkState.HANDING_OVER;
import static io.tidemark.domain.LinkState.PAUSED;

import io.tidemark.domain.LinkState;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/** Every move a link can make; docs/design/link-control.md draws it. What is not here is refused. */
public final class LinkTransitions {
    private static final Map<LinkState, Map<LinkEvent, LinkState>> TABLE = new EnumMap<>(LinkState.class);

    static {
        allow(ACTIVE, LinkEvent.PAUSE_ASKED, PAUSED);
        allow(ACTIVE, LinkEvent.RESUME_ASKED, ACTIVE);
        allow(ACTIVE, LinkEvent.REVERSAL_ASKED, DRAINING);
        allow(ACTIVE, LinkEvent.PROMOTED, ACTIVE);
        allow(ACTIVE, LinkEvent.FOLLOWED, ACTIVE);

        allow(PAUSED, LinkEvent.PAUSE_ASKED, PAUSED);
        allow(PAUSED, LinkEvent.RESUME_ASKED, ACTIVE);
        // The peer is gone, or has gone on without us: a pause must not stand in the way of either.
        allow(PAUSED, LinkEvent.PROMOTED, ACTIVE);
        allow(PAUSED, LinkEvent.FOLLOWED, ACTIVE);

        allow(DRAINING, LinkEvent.REVERSAL_ASKED, DRAINING);
        allow(DRAINING, LinkEvent.DRAINED, HANDING_OVER);
        allow(DRAINING, LinkEvent.REVERSAL_GIVEN_UP, ACTIVE);
        // Left by a reversal whose operation is lost; nobody was told anything yet.
        allow(DRAINING, LinkEvent.RESUME_ASKED, ACTIVE);
        allow(DRAINING, LinkEvent.FOLLOWED, ACTIVE);

        // The peer may be the source already: never back by ourselves, only on its word.
        allow(HANDING_OVER, LinkEvent.REVERSAL_ASKED, HANDING_OVER);
        allow(HANDING_OVER, LinkEvent.REVERSAL_GIVEN_UP, ACTIVE);
        allow(HANDING_OVER, LinkEvent.HANDED_OVER, ACTIVE);
        allow(HANDING_OVER, LinkEvent.FOLLOWED, ACTIVE);
    }

    private LinkTransitions() {}

    /** The state after {@code event}, or empty where the event has no meaning in {@code from}. */
    public static Optional<LinkState> next(LinkState from, LinkEvent event) {
        return Optional.ofNullable(TABLE.getOrDefault(from, Map.of()).get(event));
    }

    private static void allow(LinkState from, LinkEvent event, LinkState to) {
        if (TABLE.computeIfAbsent(from, state -> new EnumMap<>(LinkEvent.class)).put(event, to) != null) {
            throw new AssertionError("two transitions for " + from + " on " + event);
        }
    }
}

package io.tidemark.replication;

import static io.tidemark.replication.SourceEvent.ACCEPTED;
import static io.tidemark.replication.SourceEvent.ACKNOWLEDGED;
import static io.tidemark.replication.SourceEvent.BLOCKS_READ;
import static io.tidemark.replication.SourceEvent.COMMITTED;
import static io.tidemark.replication.SourceEvent.CONFLICT;
import static io.tidemark.replication.SourceEvent.CONNECTED;
import static io.tidemark.replication.SourceEvent.DIGESTS_ARRIVED;
import static io.tidemark.replication.SourceEvent.HELD;
import static io.tidemark.replication.SourceEvent.HOLDS_MOVED;
import static io.tidemark.replication.SourceEvent.IMAGE_ENDED;
import static io.tidemark.replication.SourceEvent.SPAN_ENDED;
import static io.tidemark.replication.SourceEvent.STARTED;
import static io.tidemark.replication.SourceEvent.THERE_ALREADY;
import static io.tidemark.replication.SourceEvent.WELCOMED;
import static io.tidemark.replication.SourceState.COMMITTING;
import static io.tidemark.replication.SourceState.CONNECTING;
import static io.tidemark.replication.SourceState.DONE;
import static io.tidemark.replication.SourceState.GREETING;
import static io.tidemark.replication.SourceState.HOLDING;
import static io.tidemark.replication.SourceState.LETTING_GO;
import static io.tidemark.replication.SourceState.MOVING_HOLDS;
import static io.tidemark.replication.SourceState.NEW;
import static io.tidemark.replication.SourceState.OFFERED;
import static io.tidemark.replication.SourceState.SENDING;

import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/** Every move a source can make; docs/design/scheduled-replication.md draws it. What is not here cannot happen. */
final class SourceTransitions {
    private static final Map<SourceState, Map<SourceEvent, SourceState>> TABLE = new EnumMap<>(SourceState.class);

    static {
        allow(NEW, STARTED, CONNECTING);
        allow(CONNECTING, CONNECTED, GREETING);
        // Held only once the peer answers: an unreachable peer must not pile up holds.
        allow(GREETING, WELCOMED, HOLDING);
        allow(HOLDING, HELD, OFFERED);

        allow(OFFERED, ACCEPTED, SENDING);
        allow(OFFERED, THERE_ALREADY, MOVING_HOLDS);
        allow(OFFERED, CONFLICT, LETTING_GO);

        allow(SENDING, BLOCKS_READ, SENDING);
        allow(SENDING, SPAN_ENDED, SENDING);
        allow(SENDING, DIGESTS_ARRIVED, SENDING);
        allow(SENDING, ACKNOWLEDGED, SENDING);
        allow(SENDING, IMAGE_ENDED, COMMITTING);

        allow(COMMITTING, ACKNOWLEDGED, COMMITTING);
        // Only now may an older base go: before, the target could not have built upon anything else.
        allow(COMMITTING, COMMITTED, MOVING_HOLDS);
        allow(MOVING_HOLDS, HOLDS_MOVED, DONE);
        allow(LETTING_GO, HOLDS_MOVED, SourceState.FAILED);

        for (var state : SourceState.values()) {
            if (!state.ended()) {
                allow(state, SourceEvent.FAILED, SourceState.FAILED);
            }
        }
    }

    private SourceTransitions() {}

    /** The state after {@code event}, or empty where the event has no meaning in {@code from}. */
    static Optional<SourceState> next(SourceState from, SourceEvent event) {
        return Optional.ofNullable(TABLE.getOrDefault(from, Map.of()).get(event));
    }

    private static void allow(SourceState from, SourceEvent event, SourceState to) {
        if (TABLE.computeIfAbsent(from, state -> new EnumMap<>(SourceEvent.class))
                        .put(event, to)
                != null) {
            throw new AssertionError("two transitions for " + from + " on " + event);
        }
    }
}

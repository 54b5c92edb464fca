package io.tidemark.replication;

import static io.tidemark.replication.TargetState.APPLYING;
import static io.tidemark.replication.TargetState.CLEARING;
import static io.tidemark.replication.TargetState.COMMITTING;
import static io.tidemark.replication.TargetState.CUTTING;
import static io.tidemark.replication.TargetState.DONE;
import static io.tidemark.replication.TargetState.GREETED;
import static io.tidemark.replication.TargetState.HOLDING;
import static io.tidemark.replication.TargetState.LOOKING;
import static io.tidemark.replication.TargetState.MOVING_HOLDS;
import static io.tidemark.replication.TargetState.NEW;
import static io.tidemark.replication.TargetState.RECEIVING;
import static io.tidemark.replication.TargetState.RECORDING;

import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/** Every move a target can make; docs/design/scheduled-replication.md draws it. What is not here cannot happen. */
final class TargetTransitions {
    private static final Map<TargetState, Map<TargetEvent, TargetState>> TABLE = new EnumMap<>(TargetState.class);

    static {
        allow(NEW, TargetEvent.GREETED, GREETED);
        allow(NEW, TargetEvent.COMMIT_FOUND, APPLYING);
        allow(GREETED, TargetEvent.OFFERED, LOOKING);
        allow(LOOKING, TargetEvent.PLANNED, RECEIVING);
        allow(LOOKING, TargetEvent.THERE_ALREADY, DONE);

        allow(RECEIVING, TargetEvent.DIGESTS_WANTED, RECEIVING);
        allow(RECEIVING, TargetEvent.BLOCKS_ARRIVED, RECEIVING);
        allow(RECEIVING, TargetEvent.LOG_SYNCED, RECEIVING);
        allow(RECEIVING, TargetEvent.COMMIT_ARRIVED, COMMITTING);
        allow(COMMITTING, TargetEvent.LOG_SYNCED, COMMITTING);
        allow(COMMITTING, TargetEvent.COMMIT_DURABLE, APPLYING);

        // From the durable commit on it only goes forward; a restart comes in at APPLYING.
        allow(APPLYING, TargetEvent.APPLIED, CUTTING);
        allow(CUTTING, TargetEvent.CUT, HOLDING);
        allow(HOLDING, TargetEvent.HELD, RECORDING);
        allow(RECORDING, TargetEvent.RECORDED, MOVING_HOLDS);
        allow(MOVING_HOLDS, TargetEvent.HOLDS_MOVED, CLEARING);
        allow(CLEARING, TargetEvent.CLEARED, DONE);

        for (var state : TargetState.values()) {
            if (!state.ended()) {
                allow(state, TargetEvent.FAILED, TargetState.FAILED);
                // A lost link ends what is not committed; the log stays for the next try.
                allow(state, TargetEvent.LINK_LOST, state.committed() ? state : TargetState.FAILED);
                allow(state, TargetEvent.REFUSED, TargetState.FAILED);
            }
        }
    }

    private TargetTransitions() {}

    /** The state after {@code event}, or empty where the event has no meaning in {@code from}. */
    static Optional<TargetState> next(TargetState from, TargetEvent event) {
        return Optional.ofNullable(TABLE.getOrDefault(from, Map.of()).get(event));
    }

    private static void allow(TargetState from, TargetEvent event, TargetState to) {
        if (TABLE.computeIfAbsent(from, state -> new EnumMap<>(TargetEvent.class))
                        .put(event, to)
                != null) {
            throw new AssertionError("two transitions for " + from + " on " + event);
        }
    }
}

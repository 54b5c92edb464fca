package io.tidemark.simulation.live;

import io.tidemark.replication.live.LiveEffect;
import io.tidemark.replication.live.LiveEvent;
import java.util.List;

/** What is wrong with the driver of a copy; nothing, unless the checks themselves are tested. */
interface LiveFault {
    LiveFault NONE = new LiveFault() {};

    /** Before a process starts. */
    default void starts(LiveHost host) {}

    /** Whether what the activity log tells after a crash is looked at. */
    default boolean readsActivityLog() {
        return true;
    }

    default List<LiveEvent> events(LiveHost host, LiveEvent event) {
        return List.of(event);
    }

    default List<LiveEffect> effects(LiveHost host, LiveEvent event, List<LiveEffect> effects) {
        return effects;
    }
}

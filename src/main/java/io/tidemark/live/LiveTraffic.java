package io.tidemark.live;

import io.tidemark.control.port.LiveHost;
import io.tidemark.replication.live.LiveMessage;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/** What a link's sessions have carried since this process started; for metrics, from any thread. */
final class LiveTraffic {
    private final LongAdder sessions = new LongAdder();
    private final Direction sent = new Direction();
    private final Direction received = new Direction();

    private static final class Direction {
        private final LongAdder writes = new LongAdder();
        private final LongAdder resync = new LongAdder();
        private final LongAdder compared = new LongAdder();

        void count(List<LiveMessage> messages) {
            for (var message : messages) {
                switch (message) {
                    case LiveMessage.Write write -> writes.add(write.length());
                    case LiveMessage.Block block -> resync.add(block.length());
                    case LiveMessage.Compare compare -> compared.add(compare.length());
                    default -> {}
                }
            }
        }

        LiveHost.Carried carried() {
            return new LiveHost.Carried(writes.sum(), resync.sum(), compared.sum());
        }
    }

    void begun() {
        sessions.increment();
    }

    /** They are handed to the connection. */
    void sent(List<LiveMessage> messages) {
        sent.count(messages);
    }

    void received(List<LiveMessage> messages) {
        received.count(messages);
    }

    LiveHost.Traffic now() {
        return new LiveHost.Traffic(sessions.sum(), sent.carried(), received.carried());
    }
}

package io.tidemark.live;

import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.live.LiveMessage;
import io.tidemark.replication.live.LiveWire;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.protocol.Message;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A connection between two copies: one thread sends what was asked for in its order, the caller's receives. */
final class LiveSession implements AutoCloseable {
    /** A sign of life where there is nothing to say. */
    private static final Duration ALIVE = Duration.ofSeconds(1);

    /** Of a peer: then it counts as lost, and the primary goes on without it. DRBD waits 6 s ({@code timeout}). */
    static final Duration SILENCE = Duration.ofSeconds(6);

    /** Confirmations and the like that the peer does not read; writes have the send buffer as their limit. */
    private static final int QUEUE_MAXIMUM = 1 << 18;

    /** Of a peer that is to take what was sent last, and to go. */
    static final Duration FAREWELL = Duration.ofSeconds(3);

    private static final Logger LOG = LoggerFactory.getLogger(LiveSession.class);

    private final long number;
    private final PeerConnection connection;
    private final LongSupplier nanos;
    private final LiveTraffic traffic;
    /** Guarded by itself, as {@code ended} is. */
    private final ArrayDeque<LiveMessage> queue = new ArrayDeque<>();

    private boolean ended;
    /** Nothing is sent behind what is in the queue. */
    private boolean isLeaving;

    private volatile long leavesBy = Long.MAX_VALUE;
    private volatile long heardAt;
    /** With what the peer said: a disk that takes long here is not the peer's silence. */
    private volatile boolean isBusy;

    /** @param nanos monotonic */
    LiveSession(long number, PeerConnection connection, LongSupplier nanos, LiveTraffic traffic) {
        this.number = number;
        this.connection = connection;
        this.nanos = nanos;
        this.traffic = traffic;
        heardAt = nanos.getAsLong();
    }

    long number() {
        return number;
    }

    String peerAddress() {
        return connection.peerAddress();
    }

    /** Takes it to be sent behind all before; never waits. */
    void send(LiveMessage message) {
        synchronized (queue) {
            if (ended || isLeaving) {
                return;
            }
            queue.add(message);
            if (queue.size() == 1) {
                // Else the sender has not looked since: it takes all that is there.
                queue.notifyAll();
            }
            if (queue.size() <= QUEUE_MAXIMUM) {
                return;
            }
        }
        end("the peer does not read: %d messages wait for it".formatted(QUEUE_MAXIMUM));
    }

    /** Receives until the session ends, and then sends nothing more either. */
    void run(Consumer<List<LiveMessage>> arrived) {
        traffic.begun();
        var sender = Thread.ofPlatform().name("tidemark-live-sender").daemon().start(this::sendAll);
        try {
            while (true) {
                var message = connection.receive();
                heardAt = nanos.getAsLong();
                if (message instanceof Message.Live live) {
                    isBusy = true;
                    traffic.received(live.messages());
                    arrived.accept(live.messages());
                    heardAt = nanos.getAsLong();
                    isBusy = false;
                } else if (!(message instanceof Message.Alive)) {
                    throw new ReplicationException(
                            new ReplicationError.CorruptFrame(message.type() + " in a session of a live link"));
                }
            }
        } catch (ReplicationException e) {
            end(e.error().message());
        } finally {
            close();
            join(sender);
        }
    }

    private static void join(Thread sender) {
        try {
            sender.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void sendAll() {
        try {
            for (var batch = next(); batch != null; batch = next()) {
                traffic.sent(batch);
                connection.send(batch.isEmpty() ? new Message.Alive("live", 0, 0) : new Message.Live(batch));
            }
            if (hasLeft()) {
                connection.sentAll();
            }
        } catch (ReplicationException e) {
            end(e.error().message());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            end("interrupted");
        }
    }

    /** What fits into one frame; nothing after a while without any; null at the end. */
    private @Nullable List<LiveMessage> next() throws InterruptedException {
        synchronized (queue) {
            long until = nanos.getAsLong() + ALIVE.toNanos();
            while (queue.isEmpty() && !ended && !isLeaving) {
                long left = until - nanos.getAsLong();
                if (left <= 0) {
                    return List.of();
                }
                queue.wait(Duration.ofNanos(left).toMillis() + 1);
            }
            if (ended || queue.isEmpty()) {
                return null;
            }
            var batch = new ArrayList<LiveMessage>();
            int bytes = 0;
            while (!queue.isEmpty()) {
                int more = LiveWire.bytesMaximum(queue.peekFirst());
                if (!batch.isEmpty() && bytes + more > LiveWire.FRAME_MAXIMUM) {
                    break;
                }
                bytes += more;
                batch.add(queue.removeFirst());
            }
            return batch;
        }
    }

    private boolean hasLeft() {
        synchronized (queue) {
            return isLeaving && !ended;
        }
    }

    /** Ends a session whose peer says nothing, or does not take its leave; from another thread, now and then. */
    void check() {
        if (nanos.getAsLong() > leavesBy) {
            end("the peer did not end it within %d s".formatted(FAREWELL.toSeconds()));
        }
        if (!isBusy && nanos.getAsLong() - heardAt > SILENCE.toNanos()) {
            end("the peer was silent for %d s".formatted(SILENCE.toSeconds()));
        }
    }

    /**
     * Ends it once the peer has what was sent so far, or after a while: of two that are to draw the same conclusion each
     * needs the other's last word. Never waits.
     */
    void leave(String why) {
        synchronized (queue) {
            if (ended || isLeaving) {
                return;
            }
            isLeaving = true;
            leavesBy = nanos.getAsLong() + FAREWELL.toNanos();
            queue.notifyAll();
        }
        LOG.info("live.session_left peer={} reason=\"{}\"", connection.peerAddress(), why);
    }

    /** Ends it at once; {@link #run} returns. Never waits. */
    void end(String why) {
        synchronized (queue) {
            if (ended) {
                return;
            }
            ended = true;
            queue.notifyAll();
        }
        LOG.info("live.session_ended peer={} reason=\"{}\"", connection.peerAddress(), why);
        connection.close();
    }

    @Override
    public void close() {
        end("closed");
    }
}

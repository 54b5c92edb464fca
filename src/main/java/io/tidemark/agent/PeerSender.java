package io.tidemark.agent;

import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.protocol.Message;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What one side of a synchronisation sends: one message at a time, whichever thread it comes from, and a sign of life
 * each second in which nothing else was sent. It has a thread for that, so that no effect on storage, however long it
 * takes, looks to the peer like a host that is gone.
 */
public final class PeerSender implements AutoCloseable {
    /** Longest silence towards the peer; a small part of what {@code TransportLimits.idle} lets pass. */
    private static final Duration ALIVE = Duration.ofSeconds(1);

    /** How long {@link #close} waits for a send in work: only a peer that reads nothing makes one last longer. */
    private static final Duration LAST_SEND = Duration.ofSeconds(2);

    private final PeerConnection connection;
    private final Supplier<Message.Alive> alive;
    /** Guards the sending half of the connection and everything below. */
    private final ReentrantLock sending = new ReentrantLock();

    private final Condition closing = sending.newCondition();
    private @Nullable Thread thread;
    private boolean spoke;
    private boolean closed;
    /** What a sign of life met. */
    private volatile @Nullable ReplicationException lost;

    /** @param alive called on a thread of its own, without any lock but the one of sending */
    public PeerSender(PeerConnection connection, Supplier<Message.Alive> alive) {
        this.connection = connection;
        this.alive = alive;
    }

    /** Signs of life come from now on, or from the first message on. */
    public void begin() {
        sending.lock();
        try {
            if (thread == null && !closed) {
                thread = Thread.ofPlatform().name("tidemark-alive").daemon().start(this::live);
            }
        } finally {
            sending.unlock();
        }
    }

    /** @throws ReplicationException where the connection is lost */
    public void send(Message message) throws ReplicationException {
        sending.lock();
        try {
            connection.send(message);
            spoke = true;
            begin();
        } finally {
            sending.unlock();
        }
    }

    /**
     * For whoever neither sends nor receives for long.
     *
     * @throws ReplicationException once a sign of life could not be sent: nobody waits for what is being done
     */
    void mustLive() throws ReplicationException {
        var found = lost;
        if (found != null) {
            throw new ReplicationException(found.error(), found);
        }
    }

    /** As {@link PeerConnection#paced}. */
    void paced(long nanos) {
        sending.lock();
        try {
            connection.paced(nanos);
        } finally {
            sending.unlock();
        }
    }

    private void live() {
        sending.lock();
        try {
            while (!closed) {
                spoke = false;
                // Whoever sends takes the lock meanwhile; a wait that ends early only makes the next sign come sooner.
                boolean signalled = closing.await(ALIVE.toNanos(), TimeUnit.NANOSECONDS);
                if (!signalled && !closed && !spoke) {
                    connection.send(alive.get());
                }
            }
        } catch (ReplicationException e) {
            // The session's own thread finds out as it receives, sends or asks, and says why.
            lost = e;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            sending.unlock();
        }
    }

    /** Ends the signs of life; on return the sending half is the caller's alone. */
    @Override
    public void close() {
        boolean mine = false;
        try {
            mine = sending.tryLock(LAST_SEND.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!mine) {
            // Ends the send.
            connection.close();
            sending.lock();
        }
        try {
            closed = true;
            closing.signalAll();
        } finally {
            sending.unlock();
        }
    }
}

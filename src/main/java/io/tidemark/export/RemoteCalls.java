package io.tidemark.export;

import io.tidemark.export.protocol.ClientSide;
import io.tidemark.export.protocol.NbdError;
import io.tidemark.export.protocol.Request;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Requests to an export in another process: those in flight, and changes that were acknowledged and that no flush has
 * covered yet. Guarded by its monitor.
 */
final class RemoteCalls {
    private final Map<Long, Call> inFlight = new LinkedHashMap<>();
    private final Deque<Call> unflushed = new ArrayDeque<>();
    /** Cookies of {@link #unflushed} that a new connection has yet to acknowledge. */
    private final Set<Long> replayed = new HashSet<>();

    /** More than a site is restarted while a read waits; one that its storage fails ends a connection each time. */
    static final int READ_LOSSES_MAXIMUM = 5;

    /** About what a call takes beside its frame: itself, its request, its places in the sets. */
    private static final long CALL_BYTES = 256;

    private long cookie;
    private long acknowledged;
    private long unflushedBytes;
    /** Grows with each connection that was lost: who waits for one's answers sees that they do not come. */
    private int losses;

    private int lossesBefore;
    /** When the first connection was lost that nothing was heard after; 0 while there is none. */
    private long lostNanos;

    private @Nullable IOException failure;

    /** A request that was sent, and its answer. Guarded by the monitor of {@link RemoteCalls}. */
    final class Call {
        private final Request request;
        private final byte[] frame;
        /** Of a flush: changes acknowledged when it was sent. Of an acknowledged change: which of them it is. */
        private long mark;

        /** By the present connection. */
        private boolean sent;
        /** Of a read: connections that ended after it was sent, while it was the oldest. */
        private int losses;

        private byte @Nullable [] answer;
        private @Nullable IOException refusal;

        private Call(Request request, byte[] frame, long mark) {
            this.request = request;
            this.frame = frame;
            this.mark = mark;
        }

        long bytes() {
            return frame.length + CALL_BYTES;
        }

        ByteBuffer frame() {
            return ByteBuffer.wrap(frame);
        }

        /** Before it is: who finds the connection lost meanwhile counts it. */
        void sending() {
            synchronized (RemoteCalls.this) {
                sent = true;
            }
        }

        /**
         * Returns the bytes of a {@code READ}, none of others.
         *
         * @throws OutOfSpaceException where the server's storage is full
         */
        byte[] await() throws IOException {
            synchronized (RemoteCalls.this) {
                while (true) {
                    if (refusal != null) {
                        throw refusal;
                    }
                    if (answer != null) {
                        return answer;
                    }
                    refuseFailed();
                    try {
                        RemoteCalls.this.wait();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                        throw new IOException("interrupted", e);
                    }
                }
            }
        }
    }

    /** @throws IOException where all has failed already */
    synchronized Call begun(int flags, int type, long offsetBytes, long lengthBytes, ByteBuffer payload)
            throws IOException {
        refuseFailed();
        var request = new Request(flags, type, ++cookie, offsetBytes, lengthBytes, payload.remaining());
        var frame = ByteBuffer.allocate(ClientSide.HEADER_BYTES + payload.remaining())
                .put(ClientSide.header(request))
                .put(payload);
        var call = new Call(request, frame.array(), acknowledged);
        inFlight.put(request.cookie(), call);
        return call;
    }

    /** Takes one answer of a connection. */
    void answered(RemoteConnection from) throws IOException {
        var reply = from.reply();
        var call = waiting(reply.cookie());
        boolean done = reply.error() == 0;
        byte[] bytes = done && call.isPresent() && call.get().request.type() == Request.READ
                ? from.bytes((int) call.get().request.lengthBytes())
                : new byte[0];
        synchronized (this) {
            lostNanos = 0;
            if (call.isPresent()) {
                inFlight.remove(reply.cookie());
                end(call.get(), reply.error(), bytes);
            } else if (!replayed.remove(reply.cookie())) {
                throw new IOException("an answer to no request, %d".formatted(reply.cookie()));
            } else if (!done) {
                fail(new IOException(
                        "what was acknowledged could not be written again: error %d".formatted(reply.error())));
            }
            notifyAll();
        }
    }

    private synchronized Optional<Call> waiting(long of) {
        return Optional.ofNullable(inFlight.get(of));
    }

    private void end(Call call, int error, byte[] bytes) {
        if (error != 0) {
            call.refusal = error == NbdError.NO_SPACE.code()
                    ? new OutOfSpaceException("the server's storage is full")
                    : new IOException("the server answers with error %d".formatted(error));
            return;
        }
        call.answer = bytes;
        if (call.request.writes()) {
            call.mark = ++acknowledged;
            unflushed.add(call);
            unflushedBytes += call.bytes();
        } else if (call.request.type() == Request.FLUSH) {
            for (var oldest = unflushed.peek(); oldest != null && oldest.mark <= call.mark; oldest = unflushed.peek()) {
                unflushed.remove();
                unflushedBytes -= oldest.bytes();
            }
        }
    }

    synchronized long unflushedBytes() {
        return unflushedBytes;
    }

    /** A connection has ended: nothing that was sent by it is answered any more. */
    synchronized void lost() {
        losses++;
        if (lostNanos == 0) {
            lostNanos = Math.max(1, System.nanoTime());
        }
        endLost();
        notifyAll();
    }

    /**
     * Of a read that fails once its success was promised a server can tell by ending the connection alone (doc/proto.md,
     * "Simple reply message"). The oldest is taken for it: done in its order, it is the next that is answered.
     */
    private void endLost() {
        var oldest = inFlight.values().stream()
                .filter(call -> call.sent && call.request.type() == Request.READ)
                .findFirst();
        inFlight.values().forEach(call -> call.sent = false);
        if (oldest.isPresent() && ++oldest.get().losses > READ_LOSSES_MAXIMUM) {
            var read = oldest.get();
            inFlight.remove(read.request.cookie());
            read.refusal = new IOException("%d connections ended while %d bytes at %d were read"
                    .formatted(read.losses, read.request.lengthBytes(), read.request.offsetBytes()));
        }
    }

    /** Whether nothing was heard for so long since a connection was lost. */
    synchronized boolean awayFor(Duration limit) {
        return lostNanos != 0 && System.nanoTime() - lostNanos > limit.toNanos();
    }

    /** Acknowledged changes, in the order in which they were; each is now to be acknowledged anew. */
    synchronized List<Call> unflushed() {
        replayed.clear();
        lossesBefore = losses;
        unflushed.forEach(call -> replayed.add(call.request.cookie()));
        return List.copyOf(unflushed);
    }

    /** False where the connection was lost, or all has failed, before all were acknowledged anew. */
    synchronized boolean awaitReplayed() throws InterruptedException {
        while (!replayed.isEmpty() && losses == lossesBefore && failure == null) {
            wait();
        }
        return replayed.isEmpty() && failure == null;
    }

    /** In the order in which they were sent. */
    synchronized List<Call> inFlight() {
        return List.copyOf(inFlight.values());
    }

    /** The first failure is the one that is told; nothing works after it. */
    synchronized void fail(IOException reason) {
        if (failure == null) {
            failure = reason;
        }
        notifyAll();
    }

    synchronized boolean failed() {
        return failure != null;
    }

    synchronized void refuseFailed() throws IOException {
        if (failure != null) {
            throw new IOException(failure.getMessage(), failure);
        }
    }
}

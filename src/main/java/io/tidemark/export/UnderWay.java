package io.tidemark.export;

import io.tidemark.export.protocol.Request;
import java.util.HashSet;
import java.util.Set;

/**
 * Requests of one connection that are under way: no more than a limit, nor more than {@link #BYTES_MAXIMUM} of them and
 * their answers. Two that touch the same bytes, one of them to change them, are never under way at once, so that they are
 * done in the order in which they came. A flush waits for nobody: it covers what was answered before it was sent
 * (doc/proto.md, ordering of messages and writes). Safe for several threads.
 */
final class UnderWay {
    /** Two of the longest. */
    static final long BYTES_MAXIMUM = 64L << 20;

    /** They have no payload, but an image may have to write them: of the longest, 16 are under way at once. */
    static final long ZEROS_COUNTED = 4L << 20;

    private final int requestsMaximum;
    private final Set<Work> running = new HashSet<>();
    private long bytes;

    /** One request; two are never the same. */
    static final class Work {
        private final Request request;
        private final long bytes;

        private Work(Request request) {
            this.request = request;
            bytes = bytesOf(request);
        }

        Request request() {
            return request;
        }

        /** Whether the order of the two matters. */
        private boolean meets(Request other) {
            return (request.writes() || other.writes())
                    && request.type() != Request.FLUSH
                    && other.type() != Request.FLUSH
                    && request.offsetBytes() < other.offsetBytes() + other.lengthBytes()
                    && other.offsetBytes() < request.offsetBytes() + request.lengthBytes();
        }
    }

    UnderWay(int requestsMaximum) {
        this.requestsMaximum = requestsMaximum;
    }

    private static long bytesOf(Request request) {
        return request.payloadBytes()
                + switch (request.type()) {
                    case Request.READ -> request.lengthBytes();
                    case Request.TRIM, Request.WRITE_ZEROES -> Math.min(request.lengthBytes(), ZEROS_COUNTED);
                    default -> 0;
                };
    }

    /** Whether {@link #admit} would return at once; only a thread that alone admits may rely on it. */
    synchronized boolean hasPlace(Request request) {
        if (running.size() >= requestsMaximum || bytes + bytesOf(request) > BYTES_MAXIMUM) {
            return false;
        }
        for (var work : running) {
            if (work.meets(request)) {
                return false;
            }
        }
        return true;
    }

    /** Waits until the request has a place, and none is under way that has to be done before it. */
    synchronized Work admit(Request request) throws InterruptedException {
        while (!hasPlace(request)) {
            wait();
        }
        var work = new Work(request);
        running.add(work);
        bytes += work.bytes;
        return work;
    }

    synchronized void done(Work work) {
        if (running.remove(work)) {
            bytes -= work.bytes;
            notifyAll();
        }
    }

    /** Until none is; an interruption is kept for later. */
    synchronized void awaitNone() {
        boolean isInterrupted = false;
        while (!running.isEmpty()) {
            try {
                wait();
            } catch (InterruptedException e) {
                isInterrupted = true;
            }
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

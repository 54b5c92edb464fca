package io.tidemark.export;

import io.tidemark.export.protocol.Agreed;
import io.tidemark.export.protocol.NbdError;
import io.tidemark.export.protocol.NbdException;
import io.tidemark.export.protocol.ReplyEncoder;
import io.tidemark.export.protocol.Request;
import io.tidemark.export.protocol.RequestDecoder;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Requests of one connection to storage that takes its time: several at once, each on a thread of its own, answered as
 * they end. Two that touch the same bytes, one of them to change them, are done in the order in which they came. A flush
 * waits for nobody: it covers what was answered before it was sent (doc/proto.md, ordering of messages and writes).
 */
final class SideBySide {
    /** As many as clients commonly send ahead; the providers have limits of their own towards their clouds. */
    static final int REQUESTS_MAXIMUM = 32;

    /** Of requests and answers in memory: two of the longest. */
    static final long BYTES_MAXIMUM = 64L << 20;

    private static final Logger LOG = LoggerFactory.getLogger(SideBySide.class);

    private final Wire wire;
    private final Agreed agreed;
    private final ExportImage image;
    private final RequestDecoder decoder;
    private final ReplyEncoder encoder;
    private final ShortAnswers answers;
    private final ByteBuffer in;
    /** Keeps answers whole. */
    private final ReentrantLock sending = new ReentrantLock();
    /** Guarded by this object's monitor, as {@code bytes} is. */
    private final Set<Work> running = new HashSet<>();

    private long bytes;

    /** One request under way; two are never the same. */
    private static final class Work {
        private final Request request;
        private final long bytes;

        Work(Request request, long bytes) {
            this.request = request;
            this.bytes = bytes;
        }

        /** Whether the order of the two matters. */
        boolean meets(Request other) {
            return (request.writes() || other.writes())
                    && request.type() != Request.FLUSH
                    && other.type() != Request.FLUSH
                    && request.offsetBytes() < other.offsetBytes() + other.lengthBytes()
                    && other.offsetBytes() < request.offsetBytes() + request.lengthBytes();
        }
    }

    /** @param in what the client sent already, to be read from */
    SideBySide(Wire wire, ShortAnswers answers, ByteBuffer in) {
        this.wire = wire;
        this.agreed = answers.agreed();
        this.image = answers.image();
        this.decoder = new RequestDecoder(agreed);
        this.encoder = new ReplyEncoder(agreed);
        this.answers = answers;
        this.in = in;
    }

    /** Returns once the client has disconnected and all of its requests are done. */
    void run() throws IOException, NbdException {
        try {
            do {
                for (var request = decoder.next(in); request.isPresent(); request = decoder.next(in)) {
                    if (request.get().type() == Request.DISCONNECT) {
                        return;
                    }
                    begin(request.get());
                }
            } while (receive());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            awaitAll();
        }
    }

    private boolean receive() throws IOException {
        in.compact();
        try {
            return wire.read(in);
        } finally {
            in.flip();
        }
    }

    private void begin(Request request) throws IOException, InterruptedException {
        var refusal = request.refusal(agreed);
        if (refusal != NbdError.NONE) {
            skip(request.payloadBytes());
            var answer = ByteBuffer.allocate(ReplyEncoder.ANSWER_BYTES_MAXIMUM);
            answers.error(answer, request, refusal, "refused");
            send(answer.flip());
            return;
        }
        var work = admitted(request);
        boolean begun = false;
        try {
            var payload = payload(request.payloadBytes());
            Thread.ofVirtual().name("tidemark-export-request").start(() -> serve(work, payload));
            begun = true;
        } finally {
            if (!begun) {
                done(work);
            }
        }
    }

    /** Waits until the request has a place and none is under way that has to be done before it. */
    private synchronized Work admitted(Request request) throws InterruptedException {
        long wanted = request.payloadBytes() + (request.type() == Request.READ ? request.lengthBytes() : 0);
        while (running.size() >= REQUESTS_MAXIMUM
                || bytes + wanted > BYTES_MAXIMUM
                || running.stream().anyMatch(work -> work.meets(request))) {
            wait();
        }
        var work = new Work(request, wanted);
        running.add(work);
        bytes += wanted;
        return work;
    }

    private synchronized void done(Work work) {
        running.remove(work);
        bytes -= work.bytes;
        notifyAll();
    }

    /** The image is closed after it: no request may use it then. */
    private synchronized void awaitAll() {
        boolean interrupted = false;
        while (!running.isEmpty()) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private ByteBuffer payload(int lengthBytes) throws IOException {
        var payload = ByteBuffer.allocate(lengthBytes);
        while (payload.hasRemaining()) {
            int length = Math.min(payload.remaining(), in.remaining());
            payload.put(in.slice(in.position(), length));
            in.position(in.position() + length);
            more(payload.hasRemaining());
        }
        return payload.flip();
    }

    private void skip(int lengthBytes) throws IOException {
        for (int left = lengthBytes; left > 0; ) {
            int length = Math.min(left, in.remaining());
            in.position(in.position() + length);
            left -= length;
            more(left > 0);
        }
    }

    private void more(boolean wanted) throws IOException {
        if (wanted && !in.hasRemaining() && !receive()) {
            throw new EOFException("the client ended within a request");
        }
    }

    private void serve(Work work, ByteBuffer payload) {
        try {
            send(answer(work.request, payload));
        } catch (IOException e) {
            // The client is gone: whoever reads its requests finds that out.
            wire.close();
        } catch (RuntimeException | Error e) {
            LOG.error("export.connection_failed", e);
            wire.close();
        } finally {
            done(work);
        }
    }

    private ByteBuffer answer(Request request, ByteBuffer payload) {
        if (request.type() == Request.READ && request.lengthBytes() > 0) {
            return read(request);
        }
        var answer = ByteBuffer.allocate(ReplyEncoder.ANSWER_BYTES_MAXIMUM);
        if (request.type() == Request.WRITE) {
            answers.endWrite(request, answers.written(request, request.offsetBytes(), payload), answer);
        } else if (request.type() == Request.READ) {
            encoder.done(answer, request);
        } else {
            answers.act(request, answer);
        }
        return answer.flip();
    }

    private ByteBuffer read(Request request) {
        int length = (int) request.lengthBytes();
        int header = encoder.dataHeaderBytes();
        var answer = ByteBuffer.allocate(Math.max(header + length, ReplyEncoder.ANSWER_BYTES_MAXIMUM));
        try {
            image.read(request.offsetBytes(), answer.slice(header, length));
            encoder.dataHeader(answer, request, request.offsetBytes(), length, true);
            answer.position(header + length);
            answers.haveRead(length);
        } catch (IOException e) {
            answers.error(answer.clear(), request, answers.failed(request, e), "the storage failed");
        }
        return answer.flip();
    }

    private void send(ByteBuffer answer) throws IOException {
        sending.lock();
        try {
            wire.write(answer);
        } finally {
            sending.unlock();
        }
    }
}

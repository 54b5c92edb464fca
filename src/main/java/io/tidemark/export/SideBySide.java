package io.tidemark.export;

import io.tidemark.export.UnderWay.Work;
import io.tidemark.export.protocol.NbdError;
import io.tidemark.export.protocol.NbdException;
import io.tidemark.export.protocol.ReplyEncoder;
import io.tidemark.export.protocol.Request;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Requests of one connection to storage that takes its time: several at once, each on a thread of its own, answered as
 * they end.
 */
final class SideBySide {
    /** As many as clients commonly send ahead; the providers have limits of their own towards their clouds. */
    static final int REQUESTS_MAXIMUM = 32;

    private static final Logger LOG = LoggerFactory.getLogger(SideBySide.class);

    private final Wire wire;
    private final ExportImage image;
    private final ReplyEncoder encoder;
    private final ShortAnswers answers;
    private final Incoming incoming;
    private final UnderWay underWay = new UnderWay(REQUESTS_MAXIMUM);
    /** Keeps answers whole. */
    private final ReentrantLock sending = new ReentrantLock();

    /** @param in what the client sent already, to be read from */
    SideBySide(Wire wire, ShortAnswers answers, ByteBuffer in) {
        this.wire = wire;
        this.image = answers.image();
        this.encoder = new ReplyEncoder(answers.agreed());
        this.answers = answers;
        this.incoming = new Incoming(wire, answers.agreed(), in, () -> {});
    }

    /** Returns once the client has disconnected and all of its requests are done. */
    void run() throws IOException, NbdException {
        try {
            for (var request = incoming.next(); request.isPresent(); request = incoming.next()) {
                if (request.get().type() == Request.DISCONNECT) {
                    return;
                }
                begin(request.get());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            // The image is closed after it: no request may use it then.
            underWay.awaitNone();
        }
    }

    private void begin(Request request) throws IOException, InterruptedException {
        var refusal = request.refusal(answers.agreed());
        if (refusal != NbdError.NONE) {
            incoming.skip(request.payloadBytes());
            var answer = ByteBuffer.allocate(ReplyEncoder.ANSWER_BYTES_MAXIMUM);
            answers.error(answer, request, refusal, "refused");
            send(answer.flip());
            return;
        }
        var work = underWay.admit(request);
        boolean begun = false;
        try {
            var payload = incoming.payload(request.payloadBytes());
            Thread.ofVirtual().name("tidemark-export-request").start(() -> serve(work, payload));
            begun = true;
        } finally {
            if (!begun) {
                underWay.done(work);
            }
        }
    }

    private void serve(Work work, ByteBuffer payload) {
        try {
            send(answer(work.request(), payload));
        } catch (IOException e) {
            // The client is gone: whoever reads its requests finds that out.
            wire.close();
        } catch (RuntimeException | Error e) {
            LOG.error("export.connection_failed", e);
            wire.close();
        } finally {
            underWay.done(work);
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

package io.tidemark.export;

import io.tidemark.export.UnderWay.Work;
import io.tidemark.export.protocol.NbdError;
import io.tidemark.export.protocol.NbdException;
import io.tidemark.export.protocol.ReplyEncoder;
import io.tidemark.export.protocol.Request;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Requests of one connection to an image that tells later how each has ended: as many as one read of the socket brings are
 * begun together, and what has ended by then is answered by one write.
 */
final class Pipeline {
    /** More than clients commonly send ahead. */
    static final int REQUESTS_MAXIMUM = 64;

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
    private static final Logger LOG = LoggerFactory.getLogger(Pipeline.class);

    private final PipelinedImage image;
    private final ReplyEncoder encoder;
    private final ShortAnswers answers;
    private final Incoming incoming;
    private final Outbox outbox;
    private final UnderWay underWay = new UnderWay(REQUESTS_MAXIMUM);
    /** To be begun together. */
    private final List<Asked> gathered = new ArrayList<>();

    private final Thread own = Thread.currentThread();
    private final Runnable told = this::told;

    /**
     * Of the current thread, which is to run it.
     *
     * @param in what the client sent already, to be read from
     * @param out empty, to be written to; both of {@link Transmission#BUFFER_BYTES}
     */
    Pipeline(Wire wire, ShortAnswers answers, PipelinedImage image, ByteBuffer in, ByteBuffer out) {
        this.image = image;
        this.encoder = new ReplyEncoder(answers.agreed());
        this.answers = answers;
        this.incoming = new Incoming(wire, answers.agreed(), in, this::begin);
        this.outbox = new Outbox(wire, out);
    }

    /** A request and how it has ended. */
    private final class Asked implements PipelinedImage.Call, Outbox.Answer {
        private final Work work;
        private final ByteBuffer payload;
        private ByteBuffer data = NOTHING;
        private @Nullable IOException failure;
        /** Guarded by this object's monitor. */
        private boolean hasEnded;

        Asked(Work work, ByteBuffer payload) {
            this.work = work;
            this.payload = payload;
        }

        @Override
        public Request request() {
            return work.request();
        }

        @Override
        public ByteBuffer payload() {
            return payload;
        }

        @Override
        public synchronized void done(ByteBuffer read) {
            if (!hasEnded) {
                data = read;
                end();
            }
        }

        @Override
        public synchronized void failed(IOException why) {
            if (!hasEnded) {
                failure = why;
                end();
            }
        }

        private void end() {
            hasEnded = true;
            outbox.add(this);
        }

        @Override
        public void put(ByteBuffer out) {
            var request = request();
            if (failure != null) {
                answers.error(out, request, answers.failed(request, failure), "the storage failed");
            } else if (request.type() == Request.WRITE) {
                answers.haveWritten(request, out);
            } else if (data.hasRemaining()) {
                encoder.dataHeader(out, request, request.offsetBytes(), data.remaining(), true);
                answers.haveRead(data.remaining());
            } else {
                encoder.done(out, request);
            }
        }

        @Override
        public ByteBuffer data() {
            return data;
        }

        @Override
        public void left() {
            underWay.done(work);
        }
    }

    /** An answer that was made without the image's {@link PipelinedImage#begin}. */
    private record Made(Consumer<ByteBuffer> put, Runnable after) implements Outbox.Answer {
        @Override
        public void put(ByteBuffer out) {
            put.accept(out);
        }

        @Override
        public ByteBuffer data() {
            return NOTHING;
        }

        @Override
        public void left() {
            after.run();
        }
    }

    /** Returns once the client has disconnected and all of its requests are done. */
    void run() throws IOException, NbdException {
        try (outbox) {
            try {
                for (var request = incoming.next(); request.isPresent(); request = incoming.next()) {
                    if (request.get().type() == Request.DISCONNECT) {
                        begin();
                        return;
                    }
                    take(request.get());
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            } finally {
                beginGathered();
                outbox.sendSoon();
                // The image is closed after it: no request may use it then.
                underWay.awaitNone();
            }
        }
    }

    private void take(Request request) throws IOException, InterruptedException {
        var refusal = request.refusal(answers.agreed());
        if (refusal != NbdError.NONE) {
            incoming.skip(request.payloadBytes());
            outbox.add(new Made(out -> answers.error(out, request, refusal, "refused"), () -> {}));
            return;
        }
        if (!underWay.hasPlace(request)) {
            begin();
        }
        var work = underWay.admit(request);
        boolean isTaken = false;
        try {
            var payload = incoming.payload(request.payloadBytes());
            if (isOfPipeline(request)) {
                gathered.add(new Asked(work, payload));
            } else {
                Thread.ofVirtual().name("tidemark-export-request").start(() -> act(work));
            }
            isTaken = true;
        } finally {
            if (!isTaken) {
                underWay.done(work);
            }
        }
    }

    private static boolean isOfPipeline(Request request) {
        return switch (request.type()) {
            case Request.READ, Request.WRITE -> request.lengthBytes() > 0;
            case Request.FLUSH -> true;
            default -> false;
        };
    }

    /** What is gathered begins, and what has ended is answered. */
    private void begin() throws IOException {
        beginGathered();
        outbox.send();
    }

    private void beginGathered() {
        if (!gathered.isEmpty()) {
            var calls = List.copyOf(gathered);
            gathered.clear();
            boolean isBegun = false;
            try {
                image.begin(calls, told);
                isBegun = true;
            } finally {
                if (!isBegun) {
                    calls.forEach(each -> each.failed(new IOException("a mistake of this program")));
                }
            }
        }
    }

    /** The connection's own thread sends when it has begun all that came. */
    private void told() {
        if (Thread.currentThread() != own) {
            outbox.sendSoon();
        }
    }

    private void act(Work work) {
        var answer = ByteBuffer.allocate(ReplyEncoder.ANSWER_BYTES_MAXIMUM);
        try {
            if (work.request().lengthBytes() == 0 && work.request().type() != Request.FLUSH) {
                encoder.done(answer, work.request());
            } else {
                answers.act(work.request(), answer);
            }
        } catch (RuntimeException | Error e) {
            LOG.error("export.request_failed", e);
            answers.error(answer.clear(), work.request(), NbdError.IO, "a mistake of this program");
        }
        outbox.add(new Made(out -> out.put(answer.flip()), () -> underWay.done(work)));
        outbox.sendSoon();
    }
}

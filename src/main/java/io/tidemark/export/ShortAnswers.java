package io.tidemark.export;

import io.tidemark.export.protocol.Agreed;
import io.tidemark.export.protocol.NbdError;
import io.tidemark.export.protocol.NbdLimits;
import io.tidemark.export.protocol.ReplyEncoder;
import io.tidemark.export.protocol.Request;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Requests of one connection whose answers carry no bytes of the image, and what failures are answered with. Safe for
 * several threads.
 */
final class ShortAnswers {
    private static final Logger LOG = LoggerFactory.getLogger(ShortAnswers.class);

    private final Agreed agreed;
    private final ExportImage image;
    private final Traffic traffic;
    private final ReplyEncoder encoder;
    private final AtomicBoolean toldOfFailure = new AtomicBoolean();

    ShortAnswers(Agreed agreed, ExportImage image, Traffic traffic) {
        this.agreed = agreed;
        this.image = image;
        this.traffic = traffic;
        this.encoder = new ReplyEncoder(agreed);
    }

    Agreed agreed() {
        return agreed;
    }

    ExportImage image() {
        return image;
    }

    /** Bytes that are on their way to the client. */
    void haveRead(int lengthBytes) {
        traffic.read(lengthBytes);
    }

    /** As {@link ReplyEncoder#error}. */
    void error(ByteBuffer out, Request request, NbdError error, String reason) {
        traffic.failed();
        encoder.error(out, request, error, reason);
    }

    /**
     * Does what needs no payload, and is no {@code READ}.
     *
     * @param out has {@link ReplyEncoder#ANSWER_BYTES_MAXIMUM} free
     */
    void act(Request request, ByteBuffer out) {
        try {
            switch (request.type()) {
                case Request.FLUSH -> image.flush();
                case Request.TRIM -> image.writeZeroes(request.offsetBytes(), request.lengthBytes(), false);
                case Request.WRITE_ZEROES ->
                    image.writeZeroes(request.offsetBytes(), request.lengthBytes(), request.withoutHole());
                case Request.BLOCK_STATUS -> {
                    int maximum = request.oneExtent() ? 1 : NbdLimits.EXTENTS_MAXIMUM;
                    encoder.blockStatus(
                            out, request, image.extents(request.offsetBytes(), request.lengthBytes(), maximum));
                    return;
                }
                default -> {
                    // CACHE: the kernel's own cache is what there is.
                }
            }
            if (request.writes() && request.forceUnitAccess()) {
                image.flush();
            }
            encoder.done(out, request);
        } catch (IOException e) {
            error(out, request, failed(request, e), "the storage failed");
        }
    }

    NbdError written(Request request, long offsetBytes, ByteBuffer bytes) {
        try {
            image.write(offsetBytes, bytes);
            return NbdError.NONE;
        } catch (IOException e) {
            return failed(request, e);
        }
    }

    /** @param outcome of the bytes that were written */
    void endWrite(Request request, NbdError outcome, ByteBuffer out) {
        var end = outcome == NbdError.NONE && request.forceUnitAccess() ? flushed(request) : outcome;
        if (end == NbdError.NONE) {
            haveWritten(request, out);
        } else {
            error(out, request, end, "not written");
        }
    }

    /** As durable as was asked for. */
    void haveWritten(Request request, ByteBuffer out) {
        traffic.written(request.payloadBytes());
        encoder.done(out, request);
    }

    private NbdError flushed(Request request) {
        try {
            image.flush();
            return NbdError.NONE;
        } catch (IOException e) {
            return failed(request, e);
        }
    }

    /** The first of a connection is told; a client that goes on all the same would fill the log. */
    NbdError failed(Request request, IOException failure) {
        if (toldOfFailure.compareAndSet(false, true)) {
            LOG.warn(
                    "export.request_failed export={} type={} offsetBytes={} lengthBytes={} reason={}",
                    agreed.export().name(),
                    request.type(),
                    request.offsetBytes(),
                    request.lengthBytes(),
                    failure.getMessage());
        }
        return failure instanceof OutOfSpaceException ? NbdError.NO_SPACE : NbdError.IO;
    }
}

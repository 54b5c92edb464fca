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
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;

/**
 * Requests of one connection, one after the other on its own thread: as many as one read brings are answered by one
 * write. So nothing is in flight but what stands in the two buffers.
 */
final class Transmission {
    /** About 60 writes of 4 KiB in a read of the socket; more gains nothing. */
    static final int BUFFER_BYTES = 256 << 10;

    /** A payload up to this long is waited for whole: an overlay would copy a block twice. */
    private static final int WHOLE_BYTES = 64 << 10;

    /** From here on the kernel sends a file's bytes faster than they go through the buffer. */
    private static final int SENT_BY_KERNEL_BYTES = 64 << 10;

    private final Wire wire;
    private final Agreed agreed;
    private final ExportImage image;
    private final RequestDecoder decoder;
    private final ReplyEncoder encoder;
    private final ShortAnswers answers;
    private final ByteBuffer in;
    private final ByteBuffer out;

    /**
     * @param in what the client sent already, to be read from
     * @param out empty, to be written to; both of {@link #BUFFER_BYTES}
     */
    Transmission(Wire wire, ShortAnswers answers, ByteBuffer in, ByteBuffer out) {
        this.wire = wire;
        this.agreed = answers.agreed();
        this.image = answers.image();
        this.decoder = new RequestDecoder(agreed);
        this.encoder = new ReplyEncoder(agreed);
        this.answers = answers;
        this.in = in;
        this.out = out;
    }

    /** Returns once the client has disconnected. */
    void run() throws IOException, NbdException {
        while (true) {
            for (var request = decoder.next(in); request.isPresent(); request = decoder.next(in)) {
                if (request.get().type() == Request.DISCONNECT) {
                    flush();
                    return;
                }
                serve(request.get());
            }
            flush();
            if (!receive()) {
                return;
            }
        }
    }

    /** More of the client's bytes behind those that are not used yet. */
    private boolean receive() throws IOException {
        in.compact();
        try {
            return wire.read(in);
        } finally {
            in.flip();
        }
    }

    private void flush() throws IOException {
        out.flip();
        if (out.hasRemaining()) {
            wire.write(out);
        }
        out.clear();
    }

    private void room(int bytes) throws IOException {
        if (out.remaining() < bytes) {
            flush();
        }
    }

    private void serve(Request request) throws IOException {
        room(ReplyEncoder.ANSWER_BYTES_MAXIMUM);
        var refusal = request.refusal(agreed);
        if (request.type() == Request.WRITE || request.payloadBytes() > 0) {
            write(request, refusal);
        } else if (refusal != NbdError.NONE) {
            answers.error(out, request, refusal, "refused");
        } else if (request.type() == Request.READ) {
            read(request);
        } else {
            answers.act(request, out);
        }
    }

    /** Writes the payload as it arrives; of a refused one it is only passed by. */
    private void write(Request request, NbdError refusal) throws IOException {
        var outcome = refusal;
        long at = request.offsetBytes();
        int left = request.payloadBytes();
        while (left > 0) {
            if (left > in.remaining() && (left <= WHOLE_BYTES || !in.hasRemaining())) {
                // Who waits for an answer before it sends on would wait for ever.
                flush();
                if (!receive()) {
                    throw new EOFException("the client ended within a WRITE");
                }
                continue;
            }
            int length = Math.min(left, in.remaining());
            if (outcome == NbdError.NONE) {
                outcome = answers.written(request, at, in.slice(in.position(), length));
            }
            in.position(in.position() + length);
            at += length;
            left -= length;
        }
        answers.endWrite(request, outcome, out);
    }

    private void read(Request request) throws IOException {
        int left = (int) request.lengthBytes();
        var file = image.file();
        var socket = wire.plain();
        if (left >= SENT_BY_KERNEL_BYTES && file.isPresent() && socket.isPresent()) {
            encoder.dataHeader(out, request, request.offsetBytes(), left, true);
            flush();
            send(file.get(), socket.get(), request.offsetBytes(), left);
            answers.haveRead(left);
            return;
        }
        int largest = BUFFER_BYTES - encoder.dataHeaderBytes();
        if (left > largest && request.unfragmented()) {
            answers.error(out, request, NbdError.OVERFLOW, "longer than %d bytes".formatted(largest));
            return;
        }
        if (left == 0) {
            encoder.done(out, request);
            return;
        }
        pieces(request, largest);
    }

    private void pieces(Request request, int largest) throws IOException {
        boolean fragments = encoder.fragments(request);
        long at = request.offsetBytes();
        int left = (int) request.lengthBytes();
        for (boolean first = true; left > 0; first = false) {
            int piece = Math.min(left, largest);
            int header = first || fragments ? encoder.dataHeaderBytes() : 0;
            room(header + piece);
            int start = out.position();
            try {
                image.read(at, out.slice(start + header, piece));
            } catch (IOException e) {
                var error = answers.failed(request, e);
                if (!first && !fragments) {
                    // Success was promised already, and there is no other way to take it back.
                    throw e;
                }
                room(ReplyEncoder.ANSWER_BYTES_MAXIMUM);
                answers.error(out, request, error, "the storage failed");
                return;
            }
            if (header > 0) {
                encoder.dataHeader(out, request, at, fragments ? piece : left, piece == left);
            }
            out.position(start + header + piece);
            answers.haveRead(piece);
            at += piece;
            left -= piece;
        }
    }

    private static void send(FileChannel file, SocketChannel socket, long offsetBytes, int lengthBytes)
            throws IOException {
        long at = offsetBytes;
        for (long left = lengthBytes; left > 0; ) {
            long sent = file.transferTo(at, left, socket);
            if (sent <= 0) {
                throw new EOFException("the image ends at byte %d".formatted(at));
            }
            at += sent;
            left -= sent;
        }
    }
}

package io.tidemark.export.protocol;

import java.nio.ByteBuffer;
import java.util.Optional;

/** Takes headers of requests out of a stream. Holds no state: what is not whole stays in the buffer. */
public final class RequestDecoder {
    /** Of the longest header. */
    public static final int HEADER_BYTES_MAXIMUM = 32;

    private static final int HEADER_BYTES = 28;

    private final boolean extended;

    public RequestDecoder(Agreed agreed) {
        this.extended = agreed.replies() == Agreed.Replies.EXTENDED;
    }

    /**
     * The next header; the position is behind it then, at its payload. Empty when it is not whole yet; the position stays.
     *
     * @throws NbdException when it is no header, or its payload is longer than {@link NbdLimits#PAYLOAD_BYTES_MAXIMUM}
     */
    public Optional<Request> next(ByteBuffer in) throws NbdException {
        if (in.remaining() < (extended ? HEADER_BYTES_MAXIMUM : HEADER_BYTES)) {
            return Optional.empty();
        }
        int magic = in.getInt();
        if (magic != (extended ? Nbd.EXTENDED_REQUEST_MAGIC : Nbd.REQUEST_MAGIC)) {
            throw new NbdException("a request begins with %08x".formatted(magic));
        }
        int flags = Short.toUnsignedInt(in.getShort());
        int type = Short.toUnsignedInt(in.getShort());
        long cookie = in.getLong();
        long offset = in.getLong();
        long length = extended ? in.getLong() : Integer.toUnsignedLong(in.getInt());
        return Optional.of(new Request(flags, type, cookie, offset, length, payload(type, flags, length)));
    }

    private int payload(int type, int flags, long length) throws NbdException {
        boolean announced = extended && (flags & Nbd.COMMAND_PAYLOAD_LENGTH) != 0;
        if (extended && type == Request.WRITE && !announced) {
            throw new NbdException("a WRITE with an extended header does not say that bytes follow");
        }
        if (type != Request.WRITE && !announced) {
            return 0;
        }
        if (length < 0 || length > NbdLimits.PAYLOAD_BYTES_MAXIMUM) {
            throw new NbdException("a request of type %d carries %s bytes, allowed are %d"
                    .formatted(type, Long.toUnsignedString(length), NbdLimits.PAYLOAD_BYTES_MAXIMUM));
        }
        return (int) length;
    }
}

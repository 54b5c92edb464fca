package io.tidemark.export.protocol;

/**
 * One request's header.
 *
 * @param type may be one that this version does not know
 * @param cookie the client's, given back with the answer
 * @param lengthBytes what it is about: of a {@code WRITE} the bytes that follow the header
 * @param payloadBytes bytes that follow the header
 */
public record Request(int flags, int type, long cookie, long offsetBytes, long lengthBytes, int payloadBytes) {
    public static final int READ = 0;
    public static final int WRITE = 1;
    public static final int DISCONNECT = 2;
    public static final int FLUSH = 3;
    public static final int TRIM = 4;
    public static final int CACHE = 5;
    public static final int WRITE_ZEROES = 6;
    public static final int BLOCK_STATUS = 7;

    /** Whether it is to be durable before it is answered. */
    public boolean forceUnitAccess() {
        return (flags & Nbd.COMMAND_FUA) != 0;
    }

    /** Whether its answer has to be one chunk. */
    public boolean unfragmented() {
        return (flags & Nbd.COMMAND_DF) != 0;
    }

    /** Whether the zeros are to keep their space. */
    public boolean withoutHole() {
        return (flags & Nbd.COMMAND_NO_HOLE) != 0;
    }

    /** Whether one extent is asked for. */
    public boolean oneExtent() {
        return (flags & Nbd.COMMAND_REQ_ONE) != 0;
    }

    /** Whether it changes bytes. */
    public boolean writes() {
        return type == WRITE || type == TRIM || type == WRITE_ZEROES;
    }

    /** Why it is refused, {@link NbdError#NONE} where it is not. */
    public NbdError refusal(Agreed agreed) {
        var export = agreed.export();
        if ((flags & ~allowedFlags(agreed)) != 0) {
            return NbdError.INVALID;
        }
        return switch (type) {
            case READ -> lengthBytes > NbdLimits.PAYLOAD_BYTES_MAXIMUM ? NbdError.INVALID : range(agreed);
            case WRITE, TRIM, WRITE_ZEROES -> export.writable() ? range(agreed) : NbdError.NOT_PERMITTED;
            case FLUSH -> NbdError.NONE;
            case CACHE -> range(agreed);
            case BLOCK_STATUS -> agreed.allocation() && lengthBytes > 0 ? range(agreed) : NbdError.INVALID;
            default -> NbdError.INVALID;
        };
    }

    private int allowedFlags(Agreed agreed) {
        return Nbd.COMMAND_FUA
                | switch (type) {
                    case READ -> agreed.replies() == Agreed.Replies.SIMPLE ? 0 : Nbd.COMMAND_DF;
                    case WRITE -> agreed.replies() == Agreed.Replies.EXTENDED ? Nbd.COMMAND_PAYLOAD_LENGTH : 0;
                    case WRITE_ZEROES -> Nbd.COMMAND_NO_HOLE;
                    case BLOCK_STATUS -> Nbd.COMMAND_REQ_ONE;
                    default -> 0;
                };
    }

    /** The errors that doc/proto.md names for requests past the end. */
    private NbdError range(Agreed agreed) {
        long size = agreed.export().sizeBytes();
        boolean inside =
                offsetBytes >= 0 && lengthBytes >= 0 && offsetBytes <= size && lengthBytes <= size - offsetBytes;
        if (inside) {
            return NbdError.NONE;
        }
        return type == WRITE || type == WRITE_ZEROES ? NbdError.NO_SPACE : NbdError.INVALID;
    }
}

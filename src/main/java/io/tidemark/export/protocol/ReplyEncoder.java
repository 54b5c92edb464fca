package io.tidemark.export.protocol;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Writes answers, in the form that was agreed on. */
public final class ReplyEncoder {
    /** Most that a header takes before the bytes of a {@code READ}: an extended header and the place of the bytes. */
    public static final int DATA_HEADER_BYTES_MAXIMUM = 40;

    /** Most that any other answer takes. */
    public static final int ANSWER_BYTES_MAXIMUM = 64 + 16 * NbdLimits.EXTENTS_MAXIMUM;

    private static final int TEXT_BYTES_MAXIMUM = 256;

    private final Agreed.Replies replies;

    public ReplyEncoder(Agreed agreed) {
        this.replies = agreed.replies();
    }

    /** An answer without bytes. */
    public void done(ByteBuffer out, Request request) {
        if (replies == Agreed.Replies.EXTENDED) {
            chunk(out, request, Nbd.CHUNK_DONE, Nbd.CHUNK_NONE, 0);
        } else if (replies == Agreed.Replies.STRUCTURED && request.type() == Request.READ) {
            chunk(out, request, Nbd.CHUNK_DONE, Nbd.CHUNK_NONE, 0);
        } else {
            simple(out, request, NbdError.NONE);
        }
    }

    /** @param reason for people, where the form has room for it */
    public void error(ByteBuffer out, Request request, NbdError error, String reason) {
        if (replies == Agreed.Replies.SIMPLE) {
            simple(out, request, error);
            return;
        }
        byte[] text = cut(reason);
        chunk(out, request, Nbd.CHUNK_DONE, Nbd.CHUNK_ERROR, 6 + text.length);
        out.putInt(error.code());
        out.putShort((short) text.length);
        out.put(text);
    }

    /** Bytes that {@link #dataHeader} takes. */
    public int dataHeaderBytes() {
        return switch (replies) {
            case SIMPLE -> 16;
            case STRUCTURED -> 28;
            case EXTENDED -> DATA_HEADER_BYTES_MAXIMUM;
        };
    }

    /** Whether the bytes of one {@code READ} may be sent in several pieces, each with its header. */
    public boolean fragments(Request request) {
        return replies != Agreed.Replies.SIMPLE && !request.unfragmented();
    }

    /** What stands before bytes of a {@code READ}. */
    public void dataHeader(ByteBuffer out, Request request, long offsetBytes, int lengthBytes, boolean last) {
        if (replies == Agreed.Replies.SIMPLE) {
            simple(out, request, NbdError.NONE);
            return;
        }
        chunk(out, request, last ? Nbd.CHUNK_DONE : 0, Nbd.CHUNK_OFFSET_DATA, 8 + lengthBytes);
        out.putLong(offsetBytes);
    }

    /** @param extents at least one, at most {@link NbdLimits#EXTENTS_MAXIMUM} */
    public void blockStatus(ByteBuffer out, Request request, List<Extent> extents) {
        if (replies == Agreed.Replies.EXTENDED) {
            chunk(out, request, Nbd.CHUNK_DONE, Nbd.CHUNK_BLOCK_STATUS_EXTENDED, 8 + 16 * extents.size());
            out.putInt(Agreed.ALLOCATION_ID);
            out.putInt(extents.size());
            for (var extent : extents) {
                out.putLong(extent.lengthBytes());
                out.putLong(extent.flags());
            }
            return;
        }
        chunk(out, request, Nbd.CHUNK_DONE, Nbd.CHUNK_BLOCK_STATUS, 4 + 8 * extents.size());
        out.putInt(Agreed.ALLOCATION_ID);
        for (var extent : extents) {
            out.putInt((int) extent.lengthBytes());
            out.putInt(extent.flags());
        }
    }

    private static void simple(ByteBuffer out, Request request, NbdError error) {
        out.putInt(Nbd.SIMPLE_REPLY_MAGIC);
        out.putInt(error.code());
        out.putLong(request.cookie());
    }

    private void chunk(ByteBuffer out, Request request, int flags, int type, int lengthBytes) {
        boolean extended = replies == Agreed.Replies.EXTENDED;
        out.putInt(extended ? Nbd.EXTENDED_REPLY_MAGIC : Nbd.STRUCTURED_REPLY_MAGIC);
        out.putShort((short) flags);
        out.putShort((short) type);
        out.putLong(request.cookie());
        if (extended) {
            out.putLong(request.offsetBytes());
            out.putLong(lengthBytes);
        } else {
            out.putInt(lengthBytes);
        }
    }

    private static byte[] cut(String reason) {
        byte[] text = reason.getBytes(StandardCharsets.UTF_8);
        return text.length <= TEXT_BYTES_MAXIMUM ? text : "see the server's log".getBytes(StandardCharsets.UTF_8);
    }
}

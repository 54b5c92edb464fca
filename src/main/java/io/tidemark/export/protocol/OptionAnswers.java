package io.tidemark.export.protocol;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Answers to one option.
 *
 * @param option the one that is answered
 */
record OptionAnswers(ByteBuffer out, int option) {

    void acknowledge() {
        header(Nbd.REPLY_ACK, 0);
    }

    void refuse(int reply, String reason) {
        byte[] text = reason.getBytes(StandardCharsets.UTF_8);
        header(reply, text.length);
        out.put(text);
    }

    void server(OfferedExport export) {
        byte[] name = export.name().getBytes(StandardCharsets.UTF_8);
        byte[] description = export.description().getBytes(StandardCharsets.UTF_8);
        header(Nbd.REPLY_SERVER, Integer.BYTES + name.length + description.length);
        out.putInt(name.length);
        out.put(name);
        out.put(description);
    }

    /** Size and abilities, and the sizes of requests. */
    void export(OfferedExport export, boolean structured) {
        header(Nbd.REPLY_INFO, 12);
        out.putShort((short) Nbd.INFO_EXPORT);
        out.putLong(export.sizeBytes());
        out.putShort((short) export.transmissionFlags(structured));
        header(Nbd.REPLY_INFO, 14);
        out.putShort((short) Nbd.INFO_BLOCK_SIZE);
        out.putInt(NbdLimits.BLOCK_BYTES_MINIMUM);
        out.putInt(NbdLimits.BLOCK_BYTES_PREFERRED);
        out.putInt(NbdLimits.PAYLOAD_BYTES_MAXIMUM);
    }

    void text(int kind, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        header(Nbd.REPLY_INFO, 2 + bytes.length);
        out.putShort((short) kind);
        out.put(bytes);
    }

    void context(int id, String name) {
        byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
        header(Nbd.REPLY_META_CONTEXT, Integer.BYTES + bytes.length);
        out.putInt(id);
        out.put(bytes);
    }

    private void header(int reply, int lengthBytes) {
        out.putLong(Nbd.OPTION_REPLY_MAGIC);
        out.putInt(option);
        out.putInt(reply);
        out.putInt(lengthBytes);
    }
}

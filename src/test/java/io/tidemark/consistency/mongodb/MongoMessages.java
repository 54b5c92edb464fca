package io.tidemark.consistency.mongodb;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bson.BsonBinaryReader;
import org.bson.BsonBinaryWriter;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.bson.codecs.BsonDocumentCodec;
import org.bson.codecs.DecoderContext;
import org.bson.codecs.EncoderContext;
import org.bson.io.BasicOutputBuffer;

/**
 * A server's side of MongoDB's wire protocol, as far as the driver's first words (OP_QUERY) and commands (OP_MSG) need
 * it. Source: MongoDB manual, "MongoDB Wire Protocol".
 */
final class MongoMessages {
    private static final int HEADER_BYTES = 16;
    private static final int BYTES_MAXIMUM = 1 << 20;
    private static final int OP_REPLY = 1;
    private static final int OP_QUERY = 2004;
    private static final int OP_MSG = 2013;

    private MongoMessages() {}

    /** @param id to answer to */
    record Request(int id, int operation, BsonDocument command) {}

    /** @throws java.io.EOFException where the other side has closed */
    static Request read(DataInputStream in) throws IOException {
        int length = Integer.reverseBytes(in.readInt());
        if (length < HEADER_BYTES || length > BYTES_MAXIMUM) {
            throw new IOException("message of %d bytes".formatted(length));
        }
        var bytes = new byte[length - Integer.BYTES];
        in.readFully(bytes);
        var message = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int id = message.getInt();
        message.getInt();
        int operation = message.getInt();
        message.getInt();
        if (operation == OP_QUERY) {
            skipText(message);
            message.getLong();
        } else if (operation != OP_MSG || message.get() != 0) {
            throw new IOException("message of operation %d".formatted(operation));
        }
        return new Request(id, operation, document(message));
    }

    private static void skipText(ByteBuffer message) {
        byte next = message.get();
        while (next != 0) {
            next = message.get();
        }
    }

    private static BsonDocument document(ByteBuffer message) {
        try (var reader = new BsonBinaryReader(message.slice().order(ByteOrder.LITTLE_ENDIAN))) {
            return new BsonDocumentCodec()
                    .decode(reader, DecoderContext.builder().build());
        }
    }

    static void write(OutputStream out, Request request, BsonDocument answer) throws IOException {
        var body = new BasicOutputBuffer();
        try (var writer = new BsonBinaryWriter(body)) {
            new BsonDocumentCodec()
                    .encode(writer, answer, EncoderContext.builder().build());
        }
        boolean old = request.operation() == OP_QUERY;
        int length = HEADER_BYTES + (old ? 20 : 5) + body.getSize();
        var message = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        message.putInt(length).putInt(0).putInt(request.id()).putInt(old ? OP_REPLY : OP_MSG);
        message.putInt(0);
        if (old) {
            message.putLong(0).putInt(0).putInt(1);
        } else {
            message.put((byte) 0);
        }
        message.put(body.toByteArray());
        out.write(message.array());
        out.flush();
    }

    static BsonDocument parse(String json) {
        return BsonDocument.parse(json);
    }

    static BsonDocument error(int code, String name, String message) {
        return parse("{ok: 0.0, code: %d}".formatted(code))
                .append("codeName", new BsonString(name))
                .append("errmsg", new BsonString(message));
    }
}

package io.tidemark.replication.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tidemark.replication.ReplicationException;
import io.tidemark.transport.ZstdCompression;
import java.nio.ByteBuffer;

/** A frame: header, checksum, compression, message and the errors in it. */
class FrameFuzzTest {
    private static final int VERSION_AT = 4;
    private static final int TYPE_AT = 5;
    private static final int FLAGS_AT = 6;

    @FuzzTest
    void frame(byte[] bytes) {
        if (bytes.length < FrameHeader.BYTES) {
            return;
        }
        decode(ByteBuffer.wrap(bytes.clone()));
        var repaired = ByteBuffer.wrap(bytes.clone());
        var types = FrameType.values();
        var type = types[Byte.toUnsignedInt(bytes[TYPE_AT]) % types.length];
        boolean compressed = (repaired.getShort(FLAGS_AT) & 1) != 0;
        FrameHeader.write(repaired, Math.abs(bytes[VERSION_AT] % 2) + 1, type, compressed, 0);
        decode(repaired);
    }

    private static void decode(ByteBuffer frame) {
        try {
            var header = FrameHeader.parse(frame);
            if (header.lengthBytes() == frame.remaining()) {
                // The codec's own buffers are bounded by the type's limit, compressed or not.
                writtenAgain(new FrameCodec(new ZstdCompression()).decode(header, frame.slice()));
            }
        } catch (ReplicationException e) {
            assertThat(e.error().message()).isNotEmpty();
        }
    }

    private static void writtenAgain(Message message) throws ReplicationException {
        var payload = ByteBuffer.allocate(message.type().payloadBytesMaximum());
        MessageCodec.write(message, payload);
        var again = MessageCodec.read(message.type(), payload.flip());
        if (message instanceof Message.Refused) {
            // Some errors arrive as what the peer said, and long texts are cut: both end after one more turn.
            assertThat(again).isInstanceOf(Message.Refused.class);
        } else {
            assertThat(again).isEqualTo(message);
        }
        assertThat(message.toString()).isNotEmpty();
    }
}

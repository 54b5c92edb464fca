package io.tidemark.provider.btrfs;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tidemark.provider.devices.SendAttributes;
import io.tidemark.provider.devices.SendFraming;
import io.tidemark.spi.ProviderException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** What another site may send: whatever passes is well formed, and names nothing outside of its subvolume. */
class StreamFilterFuzzTest {
    private static final UUID BASE = new UUID(1, 2);

    private static final int SUBVOLUME = 1;
    private static final int LINK = 10;

    @FuzzTest
    void stream(byte[] bytes) throws Exception {
        take(bytes);
        take(begun(bytes));
    }

    /** Commands with right checksums after a right beginning. */
    private static byte[] begun(byte[] bytes) {
        var stream = new ByteArrayOutputStream();
        int version = bytes.length == 0 ? 1 : 1 + (bytes[0] & 1);
        stream.writeBytes(SendFraming.opening(version));
        stream.writeBytes(SendFraming.command(
                SUBVOLUME,
                new SendAttributes.Writer()
                        .add(SendAttributes.IDENTITY, new UUID(3, 4))
                        .add(SendAttributes.TRANSACTION, 5)
                        .bytes()));
        var fields = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        while (fields.remaining() > Short.BYTES) {
            int code = fields.get();
            int length = Math.min(Byte.toUnsignedInt(fields.get()), fields.remaining());
            int at = fields.position();
            stream.writeBytes(SendFraming.command(code & 0x1F, Arrays.copyOfRange(bytes, at, at + length)));
            fields.position(at + length);
        }
        return stream.toByteArray();
    }

    private static void take(byte[] stream) throws ProviderException {
        var filter = new StreamFilter(new StreamFilter.Target() {
            private boolean opened;

            @Override
            public Optional<UUID> start(StreamFilter.Start start) {
                return start.older().map(_ -> BASE);
            }

            @Override
            public void pass(byte[] bytes) {
                if (opened) {
                    check(bytes);
                }
                opened = true;
            }
        });
        try {
            filter.take(ByteBuffer.wrap(stream));
        } catch (IOException e) {
            assertThat(e.getMessage()).isNotEmpty();
        }
    }

    private static void check(byte[] command) {
        try {
            var header = SendFraming.header(Arrays.copyOf(command, SendFraming.HEADER_BYTES));
            var body = Arrays.copyOfRange(command, SendFraming.HEADER_BYTES, command.length);
            header.check(body);
            var attributes = SendAttributes.of(body, 2);
            for (var path : List.of(
                    attributes.text(SendAttributes.PATH),
                    attributes.text(SendAttributes.PATH_TO),
                    attributes.text(SendAttributes.CLONE_PATH))) {
                assertThat(path).doesNotStartWith("/");
                assertThat(path.split("/", -1)).doesNotContain("..");
            }
            if (header.code() == LINK) {
                assertThat(attributes.text(SendAttributes.PATH_LINK)).doesNotStartWith("/");
            }
        } catch (IOException e) {
            // Of version 1, read as one of version 2.
            assertThat(e.getMessage()).isNotEmpty();
        }
    }
}

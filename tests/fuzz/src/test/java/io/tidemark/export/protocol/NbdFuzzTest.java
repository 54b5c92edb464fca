package io.tidemark.export.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/** What an NBD client sends: its handshake, then headers of requests, in whatever pieces. */
class NbdFuzzTest {
    private static final OfferedExport DISK = new OfferedExport("disk", "of a test", 1 << 20, true);

    private static final Offer OFFER = new Offer() {
        @Override
        public Optional<OfferedExport> find(String name) {
            return name.equals("disk") ? Optional.of(DISK) : Optional.empty();
        }

        @Override
        public List<OfferedExport> offered() {
            return List.of(DISK);
        }
    };

    /** The first byte says whether TLS is demanded, and where the stream is cut. */
    @FuzzTest
    void client(byte[] bytes) {
        if (bytes.length == 0) {
            return;
        }
        var negotiation = new Negotiation(
                OFFER, (bytes[0] & 1) == 0 ? Negotiation.Security.PLAIN : Negotiation.Security.TLS_REQUIRED);
        int cut = 1 + (Byte.toUnsignedInt(bytes[0]) >> 1) * (bytes.length - 1) / 128;
        var in = ByteBuffer.wrap(bytes, 1, cut - 1).slice();
        try {
            if (!handshake(negotiation, in)) {
                in = ByteBuffer.wrap(bytes, 1 + in.position(), bytes.length - 1 - in.position())
                        .slice();
                if (!handshake(negotiation, in)) {
                    return;
                }
            }
            requests(negotiation.agreed(), in);
        } catch (NbdException e) {
            assertThat(e.getMessage()).isNotEmpty();
        }
    }

    /** Whether requests follow. */
    private static boolean handshake(Negotiation negotiation, ByteBuffer in) throws NbdException {
        // As much as the limit says and no more: an answer that needs more fails here.
        var out = ByteBuffer.allocate(Negotiation.ANSWER_BYTES_MAXIMUM);
        while (true) {
            int before = in.position();
            var next = negotiation.advance(in, out.clear());
            if (next == Negotiation.Next.TRANSMIT) {
                return true;
            }
            if (next == Negotiation.Next.END || in.position() == before) {
                return false;
            }
        }
    }

    private static void requests(Agreed agreed, ByteBuffer in) throws NbdException {
        var decoder = new RequestDecoder(agreed);
        var encoder = new ReplyEncoder(agreed);
        for (var request = decoder.next(in); request.isPresent(); request = decoder.next(in)) {
            var asked = request.get();
            assertThat(asked.payloadBytes()).isBetween(0, NbdLimits.PAYLOAD_BYTES_MAXIMUM);
            in.position(in.position() + Math.min(in.remaining(), asked.payloadBytes()));
            var refusal = asked.refusal(agreed);
            if (refusal == NbdError.NONE && asked.type() != Request.FLUSH) {
                assertThat(asked.offsetBytes()).isBetween(0L, DISK.sizeBytes());
                assertThat(asked.offsetBytes() + asked.lengthBytes()).isBetween(0L, DISK.sizeBytes());
            }
            encoder.error(ByteBuffer.allocate(ReplyEncoder.ANSWER_BYTES_MAXIMUM), asked, refusal, "refused");
        }
    }
}

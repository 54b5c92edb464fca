package io.tidemark.export.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.export.protocol.Agreed.Replies;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class RequestTest {
    private static final long SIZE = 1 << 20;

    private static Agreed agreed(boolean writable, Replies replies, boolean allocation) {
        return new Agreed(new OfferedExport("disk", "", SIZE, writable), replies, allocation);
    }

    private static NbdError refusal(int type, int flags, long offset, long length) {
        return new Request(flags, type, 1, offset, length, 0).refusal(agreed(true, Replies.STRUCTURED, true));
    }

    @Test
    void requestsPastTheEndAreRefusedAsTheProtocolSays() {
        assertThat(refusal(Request.READ, 0, SIZE - 1, 1)).isEqualTo(NbdError.NONE);
        assertThat(refusal(Request.READ, 0, SIZE - 1, 2)).isEqualTo(NbdError.INVALID);
        assertThat(refusal(Request.WRITE, 0, SIZE, 1)).isEqualTo(NbdError.NO_SPACE);
        assertThat(refusal(Request.WRITE_ZEROES, 0, 0, SIZE + 1)).isEqualTo(NbdError.NO_SPACE);
        assertThat(refusal(Request.TRIM, 0, 1, SIZE)).isEqualTo(NbdError.INVALID);
        assertThat(refusal(Request.BLOCK_STATUS, 0, SIZE, 1)).isEqualTo(NbdError.INVALID);
        for (long offset : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE}) {
            assertThat(refusal(Request.READ, 0, offset, 1)).isEqualTo(NbdError.INVALID);
            assertThat(refusal(Request.WRITE, 0, offset, 1)).isEqualTo(NbdError.NO_SPACE);
        }
        assertThat(refusal(Request.TRIM, 0, 0, -1)).isEqualTo(NbdError.INVALID);
    }

    @Test
    void aReadOnlyExportIsNotWritten() {
        for (int type : new int[] {Request.WRITE, Request.TRIM, Request.WRITE_ZEROES}) {
            assertThat(new Request(0, type, 1, 0, 1, 0).refusal(agreed(false, Replies.SIMPLE, false)))
                    .isEqualTo(NbdError.NOT_PERMITTED);
        }
    }

    @Test
    void flagsAndCommandsThatAreNotKnownAreRefused() {
        assertThat(refusal(Request.READ, Nbd.COMMAND_NO_HOLE, 0, 1)).isEqualTo(NbdError.INVALID);
        assertThat(refusal(Request.WRITE, 1 << 7, 0, 1)).isEqualTo(NbdError.INVALID);
        assertThat(refusal(8, 0, 0, 1)).isEqualTo(NbdError.INVALID);
        assertThat(refusal(Request.FLUSH, Nbd.COMMAND_FUA, 0, 0)).isEqualTo(NbdError.NONE);
    }

    @Test
    void aStatusIsGivenWhereItsContextWasChosen() {
        var request = new Request(0, Request.BLOCK_STATUS, 1, 0, 512, 0);

        assertThat(request.refusal(agreed(true, Replies.STRUCTURED, false))).isEqualTo(NbdError.INVALID);
        assertThat(request.refusal(agreed(true, Replies.STRUCTURED, true))).isEqualTo(NbdError.NONE);
        assertThat(refusal(Request.BLOCK_STATUS, 0, 0, 0)).isEqualTo(NbdError.INVALID);
    }

    private static ByteBuffer header(int magic, int flags, int type, long length, boolean extended) {
        var bytes = ByteBuffer.allocate(32)
                .putInt(magic)
                .putShort((short) flags)
                .putShort((short) type)
                .putLong(42)
                .putLong(4_096);
        return (extended ? bytes.putLong(length) : bytes.putInt((int) length)).flip();
    }

    @Test
    void aHeaderIsTakenOnceItIsWhole() throws Exception {
        var decoder = new RequestDecoder(agreed(true, Replies.STRUCTURED, false));
        var bytes = header(Nbd.REQUEST_MAGIC, 0, Request.WRITE, 512, false);
        int whole = bytes.limit();

        bytes.limit(whole - 1);
        assertThat(decoder.next(bytes)).isEmpty();
        assertThat(bytes.position()).isZero();
        bytes.limit(whole);
        assertThat(decoder.next(bytes)).hasValue(new Request(0, Request.WRITE, 42, 4_096, 512, 512));
        assertThat(bytes.hasRemaining()).isFalse();
    }

    @Test
    void aLengthOfFourBytesHasNoSign() throws Exception {
        var decoder = new RequestDecoder(agreed(true, Replies.STRUCTURED, false));

        assertThat(decoder.next(header(Nbd.REQUEST_MAGIC, 0, Request.TRIM, -1, false))
                        .orElseThrow()
                        .lengthBytes())
                .isEqualTo(0xffff_ffffL);
    }

    @Test
    void anExtendedHeaderCarriesLengthsOfEightBytes() throws Exception {
        var decoder = new RequestDecoder(agreed(true, Replies.EXTENDED, false));

        var trim = decoder.next(header(Nbd.EXTENDED_REQUEST_MAGIC, 0, Request.TRIM, 1L << 40, true));
        assertThat(trim.orElseThrow().lengthBytes()).isEqualTo(1L << 40);
        var write =
                decoder.next(header(Nbd.EXTENDED_REQUEST_MAGIC, Nbd.COMMAND_PAYLOAD_LENGTH, Request.WRITE, 512, true));
        assertThat(write.orElseThrow().payloadBytes()).isEqualTo(512);
        assertThatThrownBy(() -> decoder.next(header(Nbd.EXTENDED_REQUEST_MAGIC, 0, Request.WRITE, 512, true)))
                .isInstanceOf(NbdException.class);
    }

    @Test
    void aPayloadPastTheLimitOrAnotherMagicEndsTheConnection() {
        var decoder = new RequestDecoder(agreed(true, Replies.STRUCTURED, false));

        assertThatThrownBy(() -> decoder.next(
                        header(Nbd.REQUEST_MAGIC, 0, Request.WRITE, NbdLimits.PAYLOAD_BYTES_MAXIMUM + 1L, false)))
                .isInstanceOf(NbdException.class);
        assertThatThrownBy(() -> decoder.next(header(Nbd.EXTENDED_REQUEST_MAGIC, 0, Request.READ, 1, false)))
                .isInstanceOf(NbdException.class);
    }
}

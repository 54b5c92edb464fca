package io.tidemark.export.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.export.protocol.Negotiation.Next;
import io.tidemark.export.protocol.Negotiation.Security;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class NegotiationTest {
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

    private final ByteBuffer in = ByteBuffer.allocate(64 << 10).flip();
    private final ByteBuffer out = ByteBuffer.allocate(Negotiation.ANSWER_BYTES_MAXIMUM);
    private Negotiation negotiation = begun(Security.PLAIN);

    private Negotiation begun(Security security) {
        var begun = new Negotiation(OFFER, security);
        try {
            send(ByteBuffer.allocate(4).putInt(3).flip());
            begun.advance(in, out);
        } catch (NbdException e) {
            throw new AssertionError(e);
        }
        return begun;
    }

    private void send(ByteBuffer bytes) {
        in.compact().put(bytes).flip();
    }

    private static ByteBuffer option(int option, byte... data) {
        return ByteBuffer.allocate(16 + data.length)
                .putLong(Nbd.OPTION_MAGIC)
                .putInt(option)
                .putInt(data.length)
                .put(data)
                .flip();
    }

    private Next ask(int option, byte... data) throws NbdException {
        out.clear();
        send(option(option, data));
        return negotiation.advance(in, out);
    }

    private List<Integer> answers() {
        var types = new ArrayList<Integer>();
        var read = out.duplicate().flip();
        while (read.hasRemaining()) {
            assertThat(read.getLong()).isEqualTo(Nbd.OPTION_REPLY_MAGIC);
            read.getInt();
            types.add(read.getInt());
            int length = read.getInt();
            read.position(read.position() + length);
        }
        return types;
    }

    private static byte[] name(String name, int... tail) {
        byte[] text = name.getBytes(StandardCharsets.UTF_8);
        var data = ByteBuffer.allocate(4 + text.length + tail.length)
                .putInt(text.length)
                .put(text);
        for (int one : tail) {
            data.put((byte) one);
        }
        return data.array();
    }

    private static byte[] queries(String export, String... queries) {
        var data = ByteBuffer.allocate(512).put(name(export)).putInt(queries.length);
        for (var query : queries) {
            data.put(name(query));
        }
        return java.util.Arrays.copyOf(data.array(), data.position());
    }

    @Test
    void goLeadsToRequests() throws Exception {
        assertThat(ask(Nbd.OPTION_GO, name("disk", 0, 1, 0, Nbd.INFO_NAME))).isEqualTo(Next.TRANSMIT);

        assertThat(answers()).containsExactly(Nbd.REPLY_INFO, Nbd.REPLY_INFO, Nbd.REPLY_INFO, Nbd.REPLY_ACK);
        assertThat(negotiation.agreed()).isEqualTo(new Agreed(DISK, Agreed.Replies.SIMPLE, false));
    }

    @Test
    void infoTellsAndGoesOn() throws Exception {
        assertThat(ask(Nbd.OPTION_INFO, name("disk", 0, 0))).isEqualTo(Next.READ);

        assertThat(answers()).containsExactly(Nbd.REPLY_INFO, Nbd.REPLY_INFO, Nbd.REPLY_ACK);
    }

    @Test
    void theOldWayInEndsWithAPaddingUnlessItWasDeclined() throws Exception {
        assertThat(ask(Nbd.OPTION_EXPORT_NAME, "disk".getBytes(StandardCharsets.UTF_8)))
                .isEqualTo(Next.TRANSMIT);

        assertThat(out.position()).isEqualTo(10);
    }

    @Test
    void anUnknownExportIsRefusedByNameAndEndsTheOldWayIn() throws Exception {
        assertThat(ask(Nbd.OPTION_GO, name("other", 0, 0))).isEqualTo(Next.READ);
        assertThat(answers()).containsExactly(Nbd.REPLY_UNKNOWN);

        assertThatThrownBy(() -> ask(Nbd.OPTION_EXPORT_NAME, (byte) 'x')).isInstanceOf(NbdException.class);
    }

    @Test
    void contextsNeedStructuredRepliesAndHoldForTheirExportAlone() throws Exception {
        ask(Nbd.OPTION_SET_META_CONTEXT, queries("disk", "base:allocation"));
        assertThat(answers()).containsExactly(Nbd.REPLY_INVALID);

        ask(Nbd.OPTION_STRUCTURED_REPLY);
        ask(Nbd.OPTION_SET_META_CONTEXT, queries("disk", "base:allocation", "other:thing"));
        assertThat(answers()).containsExactly(Nbd.REPLY_META_CONTEXT, Nbd.REPLY_ACK);
        ask(Nbd.OPTION_GO, name("disk", 0, 0));
        assertThat(negotiation.agreed().allocation()).isTrue();
    }

    @Test
    void aLaterChoiceOfContextsReplacesTheEarlier() throws Exception {
        ask(Nbd.OPTION_STRUCTURED_REPLY);
        ask(Nbd.OPTION_SET_META_CONTEXT, queries("disk", "base:allocation"));
        ask(Nbd.OPTION_SET_META_CONTEXT, queries("disk"));
        assertThat(answers()).containsExactly(Nbd.REPLY_ACK);

        ask(Nbd.OPTION_GO, name("disk", 0, 0));
        assertThat(negotiation.agreed().allocation()).isFalse();
    }

    @Test
    void allContextsAreListedWhereNoneIsAskedFor() throws Exception {
        ask(Nbd.OPTION_LIST_META_CONTEXT, queries("disk"));
        assertThat(answers()).containsExactly(Nbd.REPLY_META_CONTEXT, Nbd.REPLY_ACK);
        ask(Nbd.OPTION_LIST_META_CONTEXT, queries("disk", "qemu:"));
        assertThat(answers()).containsExactly(Nbd.REPLY_ACK);
    }

    @Test
    void extendedHeadersAreMoreThanStructuredReplies() throws Exception {
        ask(Nbd.OPTION_EXTENDED_HEADERS);
        ask(Nbd.OPTION_STRUCTURED_REPLY);
        ask(Nbd.OPTION_GO, name("disk", 0, 0));

        assertThat(negotiation.agreed().replies()).isEqualTo(Agreed.Replies.EXTENDED);
    }

    @Test
    void beforeTlsNothingIsTold() throws Exception {
        negotiation = begun(Security.TLS_REQUIRED);

        for (int option : new int[] {Nbd.OPTION_LIST, Nbd.OPTION_GO, Nbd.OPTION_STRUCTURED_REPLY, 99}) {
            assertThat(ask(option)).isEqualTo(Next.READ);
            assertThat(answers()).containsExactly(Nbd.REPLY_TLS_REQUIRED);
        }
        assertThatThrownBy(() -> ask(Nbd.OPTION_EXPORT_NAME)).isInstanceOf(NbdException.class);
    }

    @Test
    void tlsForgetsWhatWasAgreedInTheClear() throws Exception {
        negotiation = begun(Security.TLS_REQUIRED);

        assertThat(ask(Nbd.OPTION_STARTTLS)).isEqualTo(Next.START_TLS);
        ask(Nbd.OPTION_STARTTLS);
        assertThat(answers()).containsExactly(Nbd.REPLY_INVALID);
        ask(Nbd.OPTION_GO, name("disk", 0, 0));
        assertThat(negotiation.agreed().replies()).isEqualTo(Agreed.Replies.SIMPLE);
    }

    @Test
    void whatIsSentInTheClearAfterStartTlsIsNeverTakenForTheClients() {
        negotiation = begun(Security.TLS_REQUIRED);
        out.clear();
        send(option(Nbd.OPTION_STARTTLS));
        send(option(Nbd.OPTION_LIST));

        assertThatThrownBy(() -> negotiation.advance(in, out))
                .isInstanceOf(NbdException.class)
                .hasMessageContaining("without TLS");
    }

    @Test
    void aSocketWithoutTlsSaysSo() throws Exception {
        ask(Nbd.OPTION_STARTTLS);

        assertThat(answers()).containsExactly(Nbd.REPLY_POLICY);
    }

    @Test
    void lengthsThatDoNotFitAreRefused() throws Exception {
        for (var data : List.of(new byte[0], new byte[] {0, 0, 1, 0}, name("disk"), name("disk", 0, 2, 0, 0))) {
            ask(Nbd.OPTION_GO, data);
            assertThat(answers()).containsExactly(Nbd.REPLY_INVALID);
            ask(Nbd.OPTION_LIST_META_CONTEXT, data);
            assertThat(answers()).containsExactly(Nbd.REPLY_INVALID);
        }
        ask(Nbd.OPTION_LIST, (byte) 1);
        assertThat(answers()).containsExactly(Nbd.REPLY_INVALID);
    }

    @Test
    void anOptionThatIsTooLongEndsTheHandshake() {
        send(ByteBuffer.allocate(16)
                .putLong(Nbd.OPTION_MAGIC)
                .putInt(Nbd.OPTION_LIST)
                .putInt(NbdLimits.OPTION_BYTES_MAXIMUM + 1)
                .flip());

        assertThatThrownBy(() -> negotiation.advance(in, out)).isInstanceOf(NbdException.class);
    }

    @Test
    void aHandshakeWithoutEndIsEnded() throws Exception {
        for (int count = 0; count < NbdLimits.OPTIONS_MAXIMUM; count++) {
            ask(Nbd.OPTION_LIST);
        }

        assertThatThrownBy(() -> ask(Nbd.OPTION_LIST)).isInstanceOf(NbdException.class);
    }

    @Test
    void anOptionCutInPiecesIsWaitedFor() throws Exception {
        var whole = option(Nbd.OPTION_ABORT);
        out.clear();
        while (whole.remaining() > 1) {
            send(ByteBuffer.wrap(new byte[] {whole.get()}));
            assertThat(negotiation.advance(in, out)).isEqualTo(Next.READ);
        }
        send(whole);

        assertThat(negotiation.advance(in, out)).isEqualTo(Next.END);
        assertThat(answers()).containsExactly(Nbd.REPLY_ACK);
    }

    @Test
    void aClientThatIsNoFixedNewstyleOneIsRefused() {
        var fresh = new Negotiation(OFFER, Security.PLAIN);
        send(ByteBuffer.allocate(4).putInt(0).flip());

        assertThatThrownBy(() -> fresh.advance(in, out)).isInstanceOf(NbdException.class);
    }
}

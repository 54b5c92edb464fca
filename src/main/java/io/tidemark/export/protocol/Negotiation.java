package io.tidemark.export.protocol;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A server's side of the fixed newstyle handshake: takes a client's bytes, gives answers, comes to an agreement. One
 * thread; after an exception it is of no more use.
 */
public final class Negotiation {
    /** Room in the output that each call needs. */
    public static final int ANSWER_BYTES_MAXIMUM = 128 << 10;

    private static final int OPTION_HEADER_BYTES = 16;
    private static final int EXPORT_NAME_PADDING_BYTES = 124;

    private final Offer offer;
    private final Security security;

    private boolean greeted;
    private boolean noZeroes;
    private boolean secured;
    private int options;
    private Agreed.Replies replies = Agreed.Replies.SIMPLE;
    /** The export for which {@code base:allocation} was chosen. */
    private Optional<String> allocationOf = Optional.empty();

    private @Nullable Agreed agreed;

    /** What the connection has to do with TLS. */
    public enum Security {
        /** It has none: a unix socket, whose folder says who may use it, or loopback. */
        PLAIN,
        /** Nothing is told before it is secured. */
        TLS_REQUIRED
    }

    /** What has to happen next. */
    public enum Next {
        /** More bytes of the client are needed. */
        READ,
        /** Send what was answered; TLS follows on both sides, then call again. */
        START_TLS,
        /** Send what was answered; requests follow. */
        TRANSMIT,
        /** Send what was answered; the connection ends. */
        END
    }

    public Negotiation(Offer offer, Security security) {
        this.offer = offer;
        this.security = security;
    }

    /** What a server says first. */
    public static void greet(ByteBuffer out) {
        out.putLong(Nbd.SERVER_MAGIC);
        out.putLong(Nbd.OPTION_MAGIC);
        out.putShort((short) (Nbd.FIXED_NEWSTYLE | Nbd.NO_ZEROES));
    }

    /** What was agreed on, once {@link Next#TRANSMIT} was answered. */
    public Agreed agreed() {
        if (agreed == null) {
            throw new IllegalStateException("the handshake is not at its end");
        }
        return agreed;
    }

    /**
     * Takes at most one message of the client; what is not whole stays in the buffer. Call again while it takes some.
     *
     * @param out has {@link #ANSWER_BYTES_MAXIMUM} free
     * @throws NbdException when the client does not keep to the protocol
     */
    public Next advance(ByteBuffer in, ByteBuffer out) throws NbdException {
        if (!greeted) {
            return clientFlags(in);
        }
        if (in.remaining() < OPTION_HEADER_BYTES) {
            return Next.READ;
        }
        int start = in.position();
        long magic = in.getLong();
        int option = in.getInt();
        int length = in.getInt();
        if (magic != Nbd.OPTION_MAGIC) {
            throw new NbdException("an option begins with %016x".formatted(magic));
        }
        if (length < 0 || length > NbdLimits.OPTION_BYTES_MAXIMUM) {
            throw new NbdException("option %d has %s bytes, allowed are %d"
                    .formatted(option, Integer.toUnsignedString(length), NbdLimits.OPTION_BYTES_MAXIMUM));
        }
        if (in.remaining() < length) {
            in.position(start);
            return Next.READ;
        }
        if (++options > NbdLimits.OPTIONS_MAXIMUM) {
            throw new NbdException("a handshake of more than %d options".formatted(NbdLimits.OPTIONS_MAXIMUM));
        }
        var data = in.slice(in.position(), length);
        in.position(in.position() + length);
        return answer(option, data, in, new OptionAnswers(out, option));
    }

    private Next clientFlags(ByteBuffer in) throws NbdException {
        if (in.remaining() < Integer.BYTES) {
            return Next.READ;
        }
        int flags = in.getInt();
        if ((flags & Nbd.FIXED_NEWSTYLE) == 0 || (flags & ~(Nbd.FIXED_NEWSTYLE | Nbd.NO_ZEROES)) != 0) {
            throw new NbdException("the client's flags are %08x".formatted(flags));
        }
        noZeroes = (flags & Nbd.NO_ZEROES) != 0;
        greeted = true;
        return Next.READ;
    }

    private Next answer(int option, ByteBuffer data, ByteBuffer rest, OptionAnswers answers) throws NbdException {
        if (option == Nbd.OPTION_ABORT) {
            answers.acknowledge();
            return Next.END;
        }
        if (option == Nbd.OPTION_STARTTLS) {
            return startTls(data, rest, answers);
        }
        if (security == Security.TLS_REQUIRED && !secured) {
            if (option == Nbd.OPTION_EXPORT_NAME) {
                throw new NbdException("an export is asked for before TLS is up");
            }
            answers.refuse(Nbd.REPLY_TLS_REQUIRED, "start TLS first");
            return Next.READ;
        }
        switch (option) {
            case Nbd.OPTION_EXPORT_NAME -> {
                return exportName(data, answers);
            }
            case Nbd.OPTION_GO, Nbd.OPTION_INFO -> {
                return info(option, data, answers);
            }
            case Nbd.OPTION_LIST -> list(data, answers);
            case Nbd.OPTION_STRUCTURED_REPLY -> raise(Agreed.Replies.STRUCTURED, data, answers);
            case Nbd.OPTION_EXTENDED_HEADERS -> raise(Agreed.Replies.EXTENDED, data, answers);
            case Nbd.OPTION_LIST_META_CONTEXT, Nbd.OPTION_SET_META_CONTEXT -> contexts(option, data, answers);
            default -> answers.refuse(Nbd.REPLY_UNSUPPORTED, "option %d is not known".formatted(option));
        }
        return Next.READ;
    }

    private Next startTls(ByteBuffer data, ByteBuffer rest, OptionAnswers answers) throws NbdException {
        if (security == Security.PLAIN) {
            answers.refuse(Nbd.REPLY_POLICY, "this socket has no TLS");
            return Next.READ;
        }
        if (secured || data.hasRemaining()) {
            answers.refuse(Nbd.REPLY_INVALID, secured ? "TLS is up already" : "STARTTLS has no data");
            return Next.READ;
        }
        if (rest.hasRemaining()) {
            // They were sent in the clear, by whomever: taken for what the secured client says they would be its words.
            throw new NbdException("%d bytes follow STARTTLS without TLS".formatted(rest.remaining()));
        }
        answers.acknowledge();
        secured = true;
        replies = Agreed.Replies.SIMPLE;
        allocationOf = Optional.empty();
        return Next.START_TLS;
    }

    private void raise(Agreed.Replies wanted, ByteBuffer data, OptionAnswers answers) {
        if (data.hasRemaining()) {
            answers.refuse(Nbd.REPLY_INVALID, "the option has no data");
            return;
        }
        if (wanted.compareTo(replies) > 0) {
            replies = wanted;
        }
        answers.acknowledge();
    }

    private void list(ByteBuffer data, OptionAnswers answers) {
        if (data.hasRemaining()) {
            answers.refuse(Nbd.REPLY_INVALID, "LIST has no data");
            return;
        }
        offer.offered().forEach(answers::server);
        answers.acknowledge();
    }

    /** The old way in: has no room for a refusal. */
    private Next exportName(ByteBuffer data, OptionAnswers answers) throws NbdException {
        String name = text(data).orElseThrow(() -> new NbdException("the name of an export is no UTF-8"));
        var export = offer.find(name).orElseThrow(() -> new NbdException("there is no export of that name"));
        agree(export);
        var out = answers.out();
        out.putLong(export.sizeBytes());
        out.putShort((short) export.transmissionFlags(replies != Agreed.Replies.SIMPLE));
        if (!noZeroes) {
            out.put(new byte[EXPORT_NAME_PADDING_BYTES]);
        }
        return Next.TRANSMIT;
    }

    private Next info(int option, ByteBuffer data, OptionAnswers answers) {
        var name = name(data);
        OptionalInt count =
                data.remaining() >= 2 ? OptionalInt.of(Short.toUnsignedInt(data.getShort())) : OptionalInt.empty();
        if (name.isEmpty() || count.isEmpty() || data.remaining() != 2 * count.getAsInt()) {
            answers.refuse(Nbd.REPLY_INVALID, "the option's lengths do not fit together");
            return Next.READ;
        }
        var export = offer.find(name.get());
        if (export.isEmpty()) {
            answers.refuse(Nbd.REPLY_UNKNOWN, "there is no export of that name");
            return Next.READ;
        }
        answers.export(export.get(), replies != Agreed.Replies.SIMPLE);
        // Each once, however often it is asked for; the others are told anyway, or not known.
        boolean named = false;
        boolean described = false;
        while (data.hasRemaining()) {
            int kind = Short.toUnsignedInt(data.getShort());
            named |= kind == Nbd.INFO_NAME;
            described |= kind == Nbd.INFO_DESCRIPTION;
        }
        if (named) {
            answers.text(Nbd.INFO_NAME, export.get().name());
        }
        if (described) {
            answers.text(Nbd.INFO_DESCRIPTION, export.get().description());
        }
        answers.acknowledge();
        if (option == Nbd.OPTION_INFO) {
            return Next.READ;
        }
        agree(export.get());
        return Next.TRANSMIT;
    }

    private void agree(OfferedExport export) {
        agreed = new Agreed(
                export, replies, allocationOf.filter(export.name()::equals).isPresent());
    }

    private void contexts(int option, ByteBuffer data, OptionAnswers answers) {
        boolean set = option == Nbd.OPTION_SET_META_CONTEXT;
        if (set) {
            allocationOf = Optional.empty();
        }
        var name = name(data);
        if (name.isEmpty() || data.remaining() < Integer.BYTES) {
            answers.refuse(Nbd.REPLY_INVALID, "the option's lengths do not fit together");
            return;
        }
        if (set && replies == Agreed.Replies.SIMPLE) {
            answers.refuse(Nbd.REPLY_INVALID, "ask for structured replies first");
            return;
        }
        if (offer.find(name.get()).isEmpty()) {
            answers.refuse(Nbd.REPLY_UNKNOWN, "there is no export of that name");
            return;
        }
        int count = data.getInt();
        boolean asked = !set && count == 0;
        for (int query = 0; query != count; query++) {
            var wanted = name(data);
            if (wanted.isEmpty()) {
                answers.refuse(Nbd.REPLY_INVALID, "the option's lengths do not fit together");
                return;
            }
            asked |= wanted.get().equals(Agreed.ALLOCATION)
                    || (!set && wanted.get().equals("base:"));
        }
        if (data.hasRemaining()) {
            answers.refuse(Nbd.REPLY_INVALID, "%d bytes follow the queries".formatted(data.remaining()));
            return;
        }
        if (asked) {
            answers.context(set ? Agreed.ALLOCATION_ID : 0, Agreed.ALLOCATION);
            allocationOf = set ? name : allocationOf;
        }
        answers.acknowledge();
    }

    /** A text with its length before it; empty where it is cut short, too long, or no UTF-8. */
    private static Optional<String> name(ByteBuffer data) {
        if (data.remaining() < Integer.BYTES) {
            return Optional.empty();
        }
        int length = data.getInt();
        if (length < 0 || length > NbdLimits.NAME_BYTES_MAXIMUM || length > data.remaining()) {
            return Optional.empty();
        }
        var text = text(data.slice(data.position(), length));
        data.position(data.position() + length);
        return text;
    }

    private static Optional<String> text(ByteBuffer bytes) {
        try {
            return Optional.of(StandardCharsets.UTF_8.newDecoder().decode(bytes).toString());
        } catch (CharacterCodingException e) {
            return Optional.empty();
        }
    }
}

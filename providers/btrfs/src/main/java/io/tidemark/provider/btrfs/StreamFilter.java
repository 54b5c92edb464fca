package io.tidemark.provider.btrfs;

import io.tidemark.provider.devices.SendAttributes;
import io.tidemark.provider.devices.SendFraming;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Looks at each command of a stream before {@code btrfs receive}, which is root, sees it: whether it is what was sent,
 * and says nothing but what belongs into one subvolume. The first command is written anew: the subvolume gets a name of
 * ours, and what the stream builds upon is looked for by a UUID that nothing else on the storage has.
 *
 * <p>Source: Linux, {@code fs/btrfs/send.h}; btrfs-progs, {@code cmds/receive.c}.
 */
final class StreamFilter {
    /** The subvolume that the stream makes. */
    static final String NAME = "received";

    private static final int SUBVOLUME = 1;
    private static final int SNAPSHOT = 2;
    private static final int LINK = 10;
    private static final int CLONE = 16;
    private static final int END = 21;

    /** Of a stream without data: receive takes it for nothing, and the file stays empty. */
    private static final int UPDATE_EXTENT = 22;

    /** The last command of each version. */
    private static final List<Integer> LAST = List.of(22, 25, 26);

    private final Target target;
    private int version;
    private Optional<Start> start = Optional.empty();
    private Optional<UUID> base = Optional.empty();
    private boolean ended;

    /** What is being read: the opening, a header, or a command with its header. */
    private byte[] part = new byte[SendFraming.OPENING_BYTES];

    private int filled;
    private Optional<SendFraming.Header> header = Optional.empty();

    /**
     * What a stream says of itself.
     *
     * @param older what it builds upon; empty where it is whole
     */
    record Start(int version, UUID newer, long newerTransaction, Optional<UUID> older) {}

    /** Where commands go. */
    interface Target {
        /**
         * Called once, before anything is passed on.
         *
         * @return by which UUID the older one is to be looked for, where there is one
         * @throws ProviderException where the stream is not wanted
         */
        Optional<UUID> start(Start start) throws ProviderException;

        void pass(byte[] bytes) throws ProviderException;
    }

    StreamFilter(Target target) {
        this.target = target;
    }

    /** Whether the stream has come to its end. */
    boolean ended() {
        return ended;
    }

    Optional<Start> start() {
        return start;
    }

    /** @throws IOException where that is no stream, or one that says what it must not; nothing of such a command passes */
    void take(ByteBuffer from) throws IOException, ProviderException {
        while (from.hasRemaining()) {
            if (ended) {
                throw new IOException("%d bytes follow its end".formatted(from.remaining()));
            }
            int length = Math.min(part.length - filled, from.remaining());
            from.get(part, filled, length);
            filled += length;
            if (filled == part.length) {
                filledPart();
            }
        }
    }

    private void filledPart() throws IOException, ProviderException {
        if (version == 0) {
            version = SendFraming.version(part);
        } else if (header.isEmpty()) {
            var read = SendFraming.header(part);
            if (read.lengthBytes() > 0) {
                header = Optional.of(read);
                part = Arrays.copyOf(part, SendFraming.HEADER_BYTES + read.lengthBytes());
                return;
            }
            command(read);
        } else {
            command(header.get());
            header = Optional.empty();
        }
        part = new byte[SendFraming.HEADER_BYTES];
        filled = 0;
    }

    private void command(SendFraming.Header read) throws IOException, ProviderException {
        var body = Arrays.copyOfRange(part, SendFraming.HEADER_BYTES, part.length);
        read.check(body);
        int code = read.code();
        var attributes = SendAttributes.of(body, version);
        if (start.isEmpty()) {
            begin(code, attributes);
            return;
        }
        refuseUnwanted(code, attributes);
        target.pass(code == CLONE ? cloneFromOurs(attributes) : part);
        ended = code == END;
    }

    private void begin(int code, SendAttributes attributes) throws IOException, ProviderException {
        if (code != SUBVOLUME && code != SNAPSHOT) {
            throw new IOException("it begins with command %d instead of a subvolume".formatted(code));
        }
        var begun = new Start(
                version,
                attributes.uuid(SendAttributes.IDENTITY),
                attributes.number(SendAttributes.TRANSACTION),
                code == SNAPSHOT ? Optional.of(attributes.uuid(SendAttributes.CLONE_UUID)) : Optional.empty());
        long olderTransaction = code == SNAPSHOT ? attributes.number(SendAttributes.CLONE_TRANSACTION) : 0;
        base = target.start(begun);
        start = Optional.of(begun);
        var body = new SendAttributes.Writer()
                .add(SendAttributes.PATH, NAME.getBytes(StandardCharsets.US_ASCII))
                .add(SendAttributes.IDENTITY, begun.newer())
                .add(SendAttributes.TRANSACTION, begun.newerTransaction());
        if (code == SNAPSHOT) {
            body.add(SendAttributes.CLONE_UUID, base.orElseThrow())
                    .add(SendAttributes.CLONE_TRANSACTION, olderTransaction);
        }
        target.pass(SendFraming.opening(version));
        target.pass(SendFraming.command(code, body.bytes()));
    }

    private void refuseUnwanted(int code, SendAttributes attributes) throws IOException {
        if (code == SUBVOLUME || code == SNAPSHOT) {
            throw new IOException("it holds a second subvolume");
        }
        if (code == UPDATE_EXTENT) {
            throw new IOException("it was made without the data of files");
        }
        if (code == 0 || code > LAST.get(version - 1)) {
            throw new IOException("it holds the unknown command %d".formatted(code));
        }
        refuseOutside(attributes.text(SendAttributes.PATH));
        refuseOutside(attributes.text(SendAttributes.PATH_TO));
        refuseOutside(attributes.text(SendAttributes.CLONE_PATH));
        if (code == LINK) {
            // Of a symbolic link it is any text.
            refuseOutside(attributes.text(SendAttributes.PATH_LINK));
        }
    }

    private static void refuseOutside(String path) throws IOException {
        if (path.startsWith("/")
                || path.indexOf('\0') >= 0
                || Arrays.asList(path.split("/", -1)).contains("..")) {
            throw new IOException("it names a path outside of the subvolume: " + path.replace('\0', '?'));
        }
    }

    /** Bytes shared with the subvolume itself, or with what it builds upon. */
    private byte[] cloneFromOurs(SendAttributes attributes) throws IOException {
        var begun = start.orElseThrow();
        var source = attributes.uuid(SendAttributes.CLONE_UUID);
        if (source.equals(begun.newer())) {
            return part;
        }
        if (!Optional.of(source).equals(begun.older())) {
            throw new IOException("it takes bytes of subvolume %s, which it does not build upon".formatted(source));
        }
        return SendFraming.command(CLONE, attributes.with(SendAttributes.CLONE_UUID, base.orElseThrow()));
    }
}

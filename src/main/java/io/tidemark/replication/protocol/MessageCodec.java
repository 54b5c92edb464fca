package io.tidemark.replication.protocol;

import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.live.AfterSplitBrain;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.LiveWire;
import io.tidemark.replication.live.Protocol;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.ToIntFunction;

/** Messages as payload bytes, big-endian; docs/formats/frames.md has the layout of each. */
final class MessageCodec {
    private static final int DIGEST_BYTES = 16;
    private static final int SECRET_BYTES = 32;
    private static final int CHECKSUM_LEVELS_MAXIMUM = 16;
    /** Of one {@code char}. */
    private static final int UTF8_BYTES_MAXIMUM = 3;

    /** Link, recovery point, sizes and counts of an offer. */
    private static final int OFFER_FIXED_BYTES = 1 << 10;

    /** A recovery point's id, 43 characters, and its length. */
    private static final int ID_BYTES = 48;

    private static final int EXTENT_BYTES = Long.BYTES + Integer.BYTES;

    private MessageCodec() {}

    /** Room that the message surely fits in: an offer with little to tell does not take the 8 MiB that one may. */
    static int payloadBytesMaximum(Message message) {
        int most = message.type().payloadBytesMaximum();
        if (message instanceof Message.Offer offer) {
            long texts = (long) UTF8_BYTES_MAXIMUM * offer.metadata().length();
            return (int) Math.min(
                    most,
                    texts
                            + OFFER_FIXED_BYTES
                            + (long) ID_BYTES * offer.candidates().size());
        }
        if (message instanceof Message.Text text) {
            return (int) Math.min(most, (long) UTF8_BYTES_MAXIMUM * text.json().length() + OFFER_FIXED_BYTES);
        }
        if (message instanceof Message.Live live) {
            return live.messages().stream().mapToInt(LiveWire::bytesMaximum).sum();
        }
        return most;
    }

    static void write(Message message, ByteBuffer into) {
        switch (message) {
            case Message.Hello m -> writeHello(m, into);
            case Message.Welcome m -> text(m.software(), into.putInt(m.version()));
            case Message.Refused m -> ErrorCodec.write(m.error(), into);
            case Message.Alive m -> {
                text(m.phase(), into);
                into.putLong(m.doneUnits()).putLong(m.totalUnits());
            }
            case Message.Offer m -> writeOffer(m, into);
            case Message.Accept m -> {
                into.put(flag(m.there())).put(flag(m.newest()));
                text(m.base().map(RecoveryPointId::value).orElse(""), into);
                totals(m.resume(), into);
            }
            case Message.DigestsWanted m -> into.putLong(m.offsetBytes()).putInt(m.lengthBytes());
            case Message.Digests m ->
                into.putLong(m.offsetBytes())
                        .putInt(m.lengthBytes())
                        .put(m.digests().duplicate());
            case Message.Blocks m -> writeBlocks(m.extents(), m.data(), into);
            case Message.Acknowledged m -> totals(m.durable(), into);
            case Message.Commit m -> {
                totals(m.totals(), into);
                cost(m.cost(), into);
            }
            case Message.Committed m -> text(m.point().value(), into);
            case Message.OpenLink m -> {
                openedLink(m.link(), m.group(), m.sourceVolume(), m.targetVolume(), into);
                into.putLong(m.volumeBytes());
            }
            case Message.LinkOpened m -> into.putLong(m.targetBytes());
            case Message.OpenStreamLink m -> {
                openedLink(m.link(), m.group(), m.sourceVolume(), m.targetVolume(), into);
                text(m.format(), into);
            }
            case Message.Verify m -> {
                text(m.link().value(), into);
                text(m.point().value(), into);
            }
            case Message.VerifyReady m -> into.putLong(m.imageBytes());
            case Message.NodesWanted m ->
                into.putInt(m.level()).putLong(m.firstNode()).putInt(m.count());
            case Message.Nodes m ->
                into.putInt(m.level()).putLong(m.firstNode()).put(m.digests().duplicate());
            case Message.Reverse m -> {
                text(m.link().value(), into);
                text(m.point().map(RecoveryPointId::value).orElse(""), into);
                into.putLong(m.everyMillis());
            }
            case Message.Reversed _ -> {}
            case Message.Pair m -> text(m.address(), into.put(m.secret().duplicate()));
            case Message.Paired _ -> {}
            case Message.Text m -> text(m.json(), into);
            case Message.OpenLive m -> writeOpenLive(m, into);
            case Message.LiveOpened _ -> {}
            case Message.Live m -> m.messages().forEach(each -> LiveWire.put(each, into));
        }
    }

    private static void openedLink(LinkId link, GroupId group, VolumeId source, VolumeId target, ByteBuffer into) {
        text(link.value(), into);
        text(group.value(), into);
        text(source.value(), into);
        text(target.value(), into);
    }

    static Message read(FrameType type, ByteBuffer payload) throws ReplicationException {
        var in = new PayloadReader(type, payload);
        Message message = switch (type) {
            case HELLO -> readHello(in);
            case WELCOME -> new Message.Welcome(in.count("version", 255), in.text("software"));
            case REFUSED -> new Message.Refused(ErrorCodec.read(in));
            case ALIVE -> new Message.Alive(in.text("phase"), in.size("done"), in.size("total"));
            case OFFER -> readOffer(in);
            case ACCEPT -> readAccept(in);
            case DIGESTS_WANTED ->
                new Message.DigestsWanted(
                        in.size("offset"), in.count("length", Message.DigestsWanted.LENGTH_BYTES_MAXIMUM));
            case DIGESTS ->
                new Message.Digests(
                        in.size("offset"), in.count("length", Message.DigestsWanted.LENGTH_BYTES_MAXIMUM), in.rest());
            case BLOCKS -> readBlocks(in, Crc32c::of);
            case ACKNOWLEDGED -> new Message.Acknowledged(totals(in));
            case COMMIT -> new Message.Commit(totals(in), cost(in));
            case COMMITTED -> new Message.Committed(in.id("point", RecoveryPointId::new));
            case OPEN_LINK ->
                new Message.OpenLink(
                        in.id("link", LinkId::new),
                        in.id("group", GroupId::new),
                        in.id("source volume", VolumeId::new),
                        in.id("target volume", VolumeId::new),
                        in.size("volume bytes"));
            case LINK_OPENED -> new Message.LinkOpened(in.size("target bytes"));
            case OPEN_STREAM_LINK ->
                new Message.OpenStreamLink(
                        in.id("link", LinkId::new),
                        in.id("group", GroupId::new),
                        in.id("source volume", VolumeId::new),
                        in.id("target volume", VolumeId::new),
                        in.text("format"));
            case VERIFY -> new Message.Verify(in.id("link", LinkId::new), in.id("point", RecoveryPointId::new));
            case VERIFY_READY -> new Message.VerifyReady(in.size("image bytes"));
            case NODES_WANTED ->
                new Message.NodesWanted(
                        in.count("level", CHECKSUM_LEVELS_MAXIMUM),
                        in.size("first node"),
                        in.count("count", Message.NodesWanted.COUNT_MAXIMUM));
            case NODES ->
                new Message.Nodes(in.count("level", CHECKSUM_LEVELS_MAXIMUM), in.size("first node"), in.rest());
            case REVERSE ->
                new Message.Reverse(
                        in.id("link", LinkId::new), optionalPoint("point", in), in.size("every milliseconds"));
            case REVERSED -> new Message.Reversed();
            case PAIR -> new Message.Pair(in.bytes("secret", SECRET_BYTES), in.text("address"));
            case PAIRED -> new Message.Paired();
            case TEXT -> new Message.Text(in.text("json"));
            case OPEN_LIVE -> readOpenLive(in);
            case LIVE_OPENED -> new Message.LiveOpened();
            case LIVE -> readLive(in);
        };
        in.end();
        return check(message, in);
    }

    private static Message check(Message message, PayloadReader in) throws ReplicationException {
        if (message instanceof Message.Digests m) {
            int blocks = (m.lengthBytes() + (4 << 10) - 1) / (4 << 10);
            if (m.digests().hasRemaining() && m.digests().remaining() != blocks * DIGEST_BYTES) {
                throw in.corrupt(
                        "digests",
                        "are %d bytes for %d blocks".formatted(m.digests().remaining(), blocks));
            }
        }
        if (message instanceof Message.Nodes m && m.digests().remaining() % DIGEST_BYTES != 0) {
            throw in.corrupt("digests", "are %d bytes".formatted(m.digests().remaining()));
        }
        return message;
    }

    private static void writeOpenLive(Message.OpenLive open, ByteBuffer into) {
        text(open.link().value(), into);
        text(open.sourceVolume().value(), into);
        text(open.targetVolume().value(), into);
        text(open.protocol().name(), into);
        text(open.congestion().name(), into);
        into.putLong(open.volumeBytes())
                .putLong(open.bufferBytes())
                .putInt(open.activityLogExtents())
                .putLong(open.resyncFloorBytes())
                .putLong(open.resyncCeilingBytes())
                .put(flag(open.isComparing()));
        text(open.afterSplitBrain().noPrimary().name(), into);
        text(open.afterSplitBrain().onePrimary().name(), into);
        into.put(flag(open.isFresh())).put(flag(open.isOverwriting()));
    }

    private static Message readOpenLive(PayloadReader in) throws ReplicationException {
        return new Message.OpenLive(
                in.id("link", LinkId::new),
                in.id("source volume", VolumeId::new),
                in.id("target volume", VolumeId::new),
                in.id("protocol", Protocol::valueOf),
                in.id("congestion", Congestion::valueOf),
                in.size("volume bytes"),
                in.size("buffer bytes"),
                in.count("activity log's extents", Integer.MAX_VALUE),
                in.size("resync's floor"),
                in.size("resync's ceiling"),
                in.flag("comparing"),
                new AfterSplitBrain(
                        in.id("policy without a primary", AfterSplitBrain.NoPrimary::valueOf),
                        in.id("policy with a primary", AfterSplitBrain.OnePrimary::valueOf)),
                in.flag("fresh"),
                in.flag("overwriting"));
    }

    private static Message readLive(PayloadReader in) throws ReplicationException {
        try {
            return new Message.Live(LiveWire.read(in.rest()));
        } catch (IllegalArgumentException e) {
            throw in.corrupt("messages", "are damaged: " + e.getMessage());
        }
    }

    private static void writeHello(Message.Hello hello, ByteBuffer into) {
        into.putInt(hello.oldestVersion())
                .putInt(hello.newestVersion())
                .putInt(hello.purpose().code());
        text(hello.software(), into);
    }

    private static Message readHello(PayloadReader in) throws ReplicationException {
        int oldest = in.count("oldest version", 255);
        int newest = in.count("newest version", 255);
        int code = in.int32("purpose");
        String software = in.text("software");
        for (var purpose : Message.Purpose.values()) {
            if (purpose.code() == code) {
                return new Message.Hello(oldest, newest, purpose, software);
            }
        }
        throw in.corrupt("purpose", "is %d, which is unknown".formatted(code));
    }

    private static void writeOffer(Message.Offer offer, ByteBuffer into) {
        text(offer.link().value(), into);
        text(offer.point().value(), into);
        ids(offer.candidates(), into);
        into.putLong(offer.volumeBytes()).putInt(offer.blockBytes());
        text(offer.metadata(), into);
    }

    private static Message readOffer(PayloadReader in) throws ReplicationException {
        return new Message.Offer(
                in.id("link", LinkId::new),
                in.id("point", RecoveryPointId::new),
                ids("candidates", in),
                in.size("volume bytes"),
                in.count("block bytes", 16 << 20),
                in.text("metadata"));
    }

    private static Message readAccept(PayloadReader in) throws ReplicationException {
        boolean there = in.flag("there");
        boolean newest = in.flag("newest");
        return new Message.Accept(there, newest, optionalPoint("base", in), totals(in));
    }

    private static Optional<RecoveryPointId> optionalPoint(String field, PayloadReader in) throws ReplicationException {
        return in.id(field, text -> text.isEmpty() ? Optional.empty() : Optional.of(new RecoveryPointId(text)));
    }

    static void writeBlocks(List<BlockExtent> extents, ByteBuffer data, ByteBuffer into) {
        writeExtents(extents, into);
        into.put(data.duplicate());
    }

    /** All of BLOCKS but the blocks, which follow. */
    static void writeExtents(List<BlockExtent> extents, ByteBuffer into) {
        into.putInt(extents.size());
        for (var extent : extents) {
            into.putLong(extent.offsetBytes())
                    .putInt(extent.zero() ? extent.lengthBytes() | Integer.MIN_VALUE : extent.lengthBytes());
        }
    }

    /**
     * Where the data of BLOCKS begin, as far as can be told before anything of it is checked: a length in any case.
     *
     * @return all of the payload where it has no such place
     */
    static int headBytes(ByteBuffer payload) {
        int all = payload.remaining();
        if (all < Integer.BYTES) {
            return all;
        }
        int count = payload.getInt(payload.position());
        long head = Integer.BYTES + (long) EXTENT_BYTES * count;
        return count < 0 || head > all ? all : (int) head;
    }

    /** @param checksum of the data, where it is not known */
    static Message.Blocks readBlocks(PayloadReader in, ToIntFunction<ByteBuffer> checksum) throws ReplicationException {
        int count = in.count("extents", Message.Blocks.EXTENTS_MAXIMUM);
        if (count == 0) {
            throw in.corrupt("extents", "are none");
        }
        var extents = new ArrayList<BlockExtent>(count);
        long dataBytes = 0;
        long end = 0;
        for (int index = 0; index < count; index++) {
            long offset = in.size("extent offset");
            int word = in.int32("extent length");
            boolean zero = word < 0;
            int length = word & Integer.MAX_VALUE;
            if (length == 0
                    || length > BlockExtent.LENGTH_BYTES_MAXIMUM
                    || offset < end
                    || offset > Long.MAX_VALUE - length) {
                throw in.corrupt("extent", "%d at %d is empty, too long or out of order".formatted(length, offset));
            }
            extents.add(new BlockExtent(offset, length, zero));
            end = offset + length;
            dataBytes += zero ? 0 : length;
        }
        var data = in.rest();
        if (data.remaining() != dataBytes) {
            throw in.corrupt("data", "has %d bytes, extents name %d".formatted(data.remaining(), dataBytes));
        }
        return new Message.Blocks(extents, data, checksum.applyAsInt(data));
    }

    static void totals(IngestTotals totals, ByteBuffer into) {
        into.putLong(totals.throughBytes())
                .putLong(totals.frameCount())
                .putLong(totals.payloadBytes())
                .putLong(totals.zeroBytes())
                .put(totals.chain().duplicate());
    }

    static IngestTotals totals(PayloadReader in) throws ReplicationException {
        return new IngestTotals(
                in.size("through"),
                in.size("frames"),
                in.size("payload bytes"),
                in.size("zero bytes"),
                in.bytes("chain", IngestTotals.CHAIN_BYTES));
    }

    static void cost(SyncCost cost, ByteBuffer into) {
        text(cost.changedRangeSource(), into);
        into.putLong(cost.namedBytes())
                .putLong(cost.readBytes())
                .putLong(cost.comparedBytes())
                .putLong(cost.changedBytes())
                .putLong(cost.sentPayloadBytes())
                .putLong(cost.sentWireBytes())
                .putLong(cost.resumedBytes())
                .putLong(cost.durationMillis());
    }

    static SyncCost cost(PayloadReader in) throws ReplicationException {
        return new SyncCost(
                in.text("changed range source"),
                in.size("named bytes"),
                in.size("read bytes"),
                in.size("compared bytes"),
                in.size("changed bytes"),
                in.size("sent payload bytes"),
                in.size("sent wire bytes"),
                in.size("resumed bytes"),
                in.size("duration"));
    }

    static void ids(List<RecoveryPointId> ids, ByteBuffer into) {
        into.putInt(ids.size());
        ids.forEach(id -> text(id.value(), into));
    }

    static List<RecoveryPointId> ids(String field, PayloadReader in) throws ReplicationException {
        int count = in.count(field, Message.Offer.CANDIDATES_MAXIMUM);
        var ids = new ArrayList<RecoveryPointId>(count);
        for (int index = 0; index < count; index++) {
            ids.add(in.id(field, RecoveryPointId::new));
        }
        return ids;
    }

    static void text(String text, ByteBuffer into) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        into.putInt(bytes.length).put(bytes);
    }

    private static byte flag(boolean value) {
        return (byte) (value ? 1 : 0);
    }
}

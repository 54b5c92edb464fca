package io.tidemark.replication.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.live.AfterSplitBrain;
import io.tidemark.replication.live.AfterSplitBrain.NoPrimary;
import io.tidemark.replication.live.AfterSplitBrain.OnePrimary;
import io.tidemark.replication.live.BlockDigests;
import io.tidemark.replication.live.Bytes;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.CopyId;
import io.tidemark.replication.live.DirtyBitmap;
import io.tidemark.replication.live.Generation;
import io.tidemark.replication.live.Generations;
import io.tidemark.replication.live.LiveMessage;
import io.tidemark.replication.live.LiveStatus;
import io.tidemark.replication.live.Protocol;
import io.tidemark.replication.port.Compression;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import io.tidemark.transport.ZstdCompression;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Frames as version 1 wrote them, byte for byte, in {@code frames-1.hex}. They are never changed: a later version must
 * read them alike and, speaking version 1, write them alike. A later version adds a file of its own.
 */
class RecordedFramesTest {
    private static final ProtocolVersion.Range VERSION = new ProtocolVersion.Range(1, 1);
    private static final LinkId LINK = new LinkId("ln-0mjuohs00mjzb1fuqli0");
    private static final RecoveryPointId POINT = new RecoveryPointId("rp-0mjuohs6iq9o63fdi7v6");
    private static final RecoveryPointId BASE = new RecoveryPointId("rp-0mjuoht8m167lkhlasov");
    private static final VolumeId VOLUME = new VolumeId("image:orders");

    private static final Compression NONE = new Compression() {
        @Override
        public boolean compress(ByteBuffer raw, ByteBuffer target) {
            return false;
        }

        @Override
        public void decompress(ByteBuffer compressed, ByteBuffer target) throws ReplicationException {
            new ZstdCompression().decompress(compressed, target);
        }
    };

    /** One of each type and each error at least, with every optional field once there and once not. */
    static Stream<Message> everyMessage() {
        var bytes = ByteBuffer.wrap("sixteen bytes ok".repeat(256).getBytes(StandardCharsets.US_ASCII));
        var extents = List.of(new BlockExtent(4096, 4096, false), new BlockExtent(1L << 40, 1 << 30, true));
        var totals = IngestTotals.NOTHING.plus(new Message.Blocks(extents, bytes));
        var messages = new ArrayList<Message>();
        for (var purpose : List.of(
                Message.Purpose.SYNC, Message.Purpose.OPEN_LINK, Message.Purpose.VERIFY, Message.Purpose.PAIR)) {
            messages.add(new Message.Hello(1, 1, purpose, "tidemark 0.1.0"));
        }
        messages.addAll(List.of(
                new Message.Welcome(1, "tidemark 0.1.0"),
                new Message.Alive("apply", 1, 2),
                new Message.Offer(LINK, POINT, List.of(BASE), 1L << 40, 4096, "{\"group\":\"Bücher\"}"),
                new Message.Offer(LINK, POINT, List.of(), 0, 4096, ""),
                new Message.Accept(false, false, Optional.of(BASE), totals),
                new Message.Accept(true, true, Optional.empty(), IngestTotals.NOTHING),
                new Message.DigestsWanted(16 << 20, 16 << 20),
                new Message.Digests(0, 8192, ByteBuffer.wrap(new byte[32])),
                new Message.Digests(0, 16 << 20, ByteBuffer.allocate(0)),
                new Message.Blocks(extents, bytes),
                new Message.Acknowledged(totals),
                new Message.Commit(totals, new SyncCost("btrfs send", 1, 2, 3, 4, 5, 6, 7, 8)),
                new Message.Committed(POINT),
                new Message.OpenLink(LINK, new GroupId("orders"), VOLUME, new VolumeId("image:copy"), 1L << 40),
                new Message.LinkOpened(1L << 40),
                new Message.Verify(LINK, POINT),
                new Message.VerifyReady(1 << 20),
                new Message.NodesWanted(2, 7, 65_536),
                new Message.Nodes(1, 7, ByteBuffer.wrap(new byte[16])),
                new Message.Pair(ByteBuffer.wrap(new byte[32]), "127.0.0.1:7423"),
                new Message.Paired()));
        FrameCodecTest.everyError().map(Message.Refused::new).forEach(messages::add);
        messages.addAll(grown());
        return messages.stream();
    }

    /** Version 1 grew by these before its first release. */
    private static List<Message> grown() {
        return List.of(
                new Message.Hello(1, 1, Message.Purpose.RESYNC, "tidemark 0.1.0"),
                new Message.Hello(1, 1, Message.Purpose.REVERSE, "tidemark 0.1.0"),
                new Message.Hello(1, 1, Message.Purpose.SYNC_ANEW, "tidemark 0.1.0"),
                new Message.Reverse(LINK, Optional.of(POINT), 900_000),
                new Message.Reverse(LINK, Optional.empty(), 0),
                new Message.Reversed(),
                new Message.OpenStreamLink(LINK, new GroupId("orders"), VOLUME, new VolumeId("btrfs:copy"), "btrfs"),
                new Message.Offer(LINK, POINT, List.of(BASE), 1L << 60, 1, "{}"),
                new Message.Hello(1, 1, Message.Purpose.ENROL, "tidemark 0.1.0"),
                new Message.Hello(1, 1, Message.Purpose.AGENT, "tidemark 0.1.0"),
                new Message.Text("{\"agent\":\"Bücher\"}"),
                new Message.Hello(1, 1, Message.Purpose.LIVE, "tidemark 0.1.0"),
                new Message.OpenLive(
                        LINK,
                        VOLUME,
                        new VolumeId("image:copy"),
                        Protocol.B,
                        Congestion.PULL_AHEAD,
                        1L << 40,
                        16 << 20,
                        256,
                        16 << 20,
                        1L << 31,
                        true,
                        new AfterSplitBrain(NoPrimary.DISCARD_YOUNGER, OnePrimary.DISCARD_SECONDARY),
                        true,
                        false),
                new Message.LiveOpened(),
                new Message.Live(everyLiveMessage()));
    }

    private static List<LiveMessage> everyLiveMessage() {
        var peer = new CopyId("b0b1b2b3b4b5b6b7");
        var generations = new Generations(
                Optional.of(new Generation(7)),
                Map.of(peer, List.of(new Generation(5), new Generation(-6))),
                List.of(new Generation(-6), new Generation(5), new Generation(4)));
        var data = Bytes.of(ByteBuffer.wrap("sixteen bytes ok".getBytes(StandardCharsets.US_ASCII)));
        return List.of(
                new LiveMessage.Hello(
                        new CopyId("a0a1a2a3a4a5a6a7"),
                        1L << 40,
                        Protocol.B,
                        generations,
                        LiveStatus.Role.PRIMARY,
                        true,
                        false,
                        true,
                        new LiveMessage.Apart(
                                3,
                                1_795_860_000_000L,
                                new AfterSplitBrain(NoPrimary.DISCARD_LEAST_CHANGES, OnePrimary.DISCONNECT))),
                new LiveMessage.Dirty(List.of(new DirtyBitmap.Run(1, 2), new DirtyBitmap.Run(1L << 28, 3)), true),
                new LiveMessage.Write(1, 512, 16, data),
                new LiveMessage.Write(2, 1L << 39, 4_096, Bytes.zeros(4_096)),
                new LiveMessage.Block(3, 8_192, 16, data),
                new LiveMessage.Barrier(4),
                new LiveMessage.Finished(5, generations),
                new LiveMessage.Ahead(6),
                new LiveMessage.Received(5),
                new LiveMessage.Durable(6),
                new LiveMessage.InStep(),
                new LiveMessage.RoleChanged(LiveStatus.Role.PRIMARY),
                new LiveMessage.Compare(7, 4_096, 8_192, new BlockDigests(ByteBuffer.wrap(new byte[32]))),
                new LiveMessage.Differing(7, List.of(new DirtyBitmap.Run(1, 2))),
                new LiveMessage.OutOfSync(),
                new LiveMessage.Ask(LiveMessage.Ask.What.INVALIDATE),
                new LiveMessage.Ask(LiveMessage.Ask.What.VERIFY));
    }

    /** Names are the type's, numbered where there are several. */
    static Map<String, Message> named() {
        var named = new LinkedHashMap<String, Message>();
        everyMessage().forEach(message -> {
            String name = message.type().name();
            for (int number = 2; named.containsKey(name); number++) {
                name = message.type().name() + "-" + number;
            }
            named.put(name, message);
        });
        return named;
    }

    private static Map<String, String> recorded() throws IOException {
        var recorded = new LinkedHashMap<String, String>();
        try (var file = RecordedFramesTest.class.getResourceAsStream("frames-1.hex")) {
            new String(file == null ? new byte[0] : file.readAllBytes(), StandardCharsets.US_ASCII)
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .forEach(line -> recorded.put(line.split(" ", 2)[0], line.split(" ", 2)[1]));
        }
        return recorded;
    }

    @Test
    void everyTypeOfFrameIsRecorded() throws Exception {
        assertThat(recorded().keySet()).containsExactlyElementsOf(named().keySet());
        assertThat(everyMessage().map(Message::type).distinct()).containsExactlyInAnyOrder(FrameType.values());
    }

    @ParameterizedTest
    @MethodSource("names")
    void whatVersionOneWroteIsReadAlike(String name) throws Exception {
        var frame = ByteBuffer.wrap(HexFormat.of().parseHex(recorded().getOrDefault(name, "")));

        var read = new FrameCodec(NONE, VERSION).decode(FrameHeader.parse(frame), frame.slice());

        assertThat(read).isEqualTo(named().get(name));
    }

    @ParameterizedTest
    @MethodSource("names")
    void whatIsWrittenInVersionOneIsWrittenAlike(String name) throws Exception {
        var frame = new FrameCodec(NONE, VERSION)
                .encode(Optional.ofNullable(named().get(name)).orElseThrow());

        assertThat(hex(frame)).isEqualTo(recorded().get(name));
    }

    static Stream<String> names() {
        return named().keySet().stream();
    }

    @Test
    void afterWelcomeBothSpeakTheVersionThatItNames() throws Exception {
        var older = new FrameCodec(NONE, new ProtocolVersion.Range(1, 2));
        var newer = new FrameCodec(NONE, new ProtocolVersion.Range(2, 3));
        var hello = carried(older, newer, new Message.Hello(1, 2, Message.Purpose.SYNC, "older"));
        int common = new ProtocolVersion.Range(2, 3)
                .common(hello.oldestVersion(), hello.newestVersion())
                .orElseThrow();
        carried(newer, older, new Message.Welcome(common, "newer"));

        assertThat(older.encode(new Message.Paired()).get(4)).isEqualTo((byte) 2);
        assertThat(newer.encode(new Message.Paired()).get(4)).isEqualTo((byte) 2);
        assertThat(newer.encode(new Message.Alive("", 0, 0)).get(4)).isEqualTo((byte) 1);
    }

    @Test
    void aFrameOfAnotherVersionThanTheAgreedOneIsRefused() throws Exception {
        var sender = new FrameCodec(NONE, new ProtocolVersion.Range(3, 3));
        var frame = sender.encode(new Message.Paired());

        assertThatThrownBy(() -> new FrameCodec(NONE, VERSION).decode(FrameHeader.parse(frame), frame.slice()))
                .isInstanceOfSatisfying(
                        ReplicationException.class,
                        e -> assertThat(e.error()).isEqualTo(new ReplicationError.ProtocolMismatch("1", "3")));
    }

    @Test
    void aFlippedBitInTheVersionIsDamageAndNotAnotherProtocol() {
        var frame = new FrameCodec(NONE, VERSION).encode(new Message.Paired());
        frame.put(4, (byte) 3);

        assertThatThrownBy(() -> new FrameCodec(NONE, VERSION).decode(FrameHeader.parse(frame), frame.slice()))
                .isInstanceOfSatisfying(
                        ReplicationException.class,
                        e -> assertThat(e.error()).isInstanceOf(ReplicationError.CorruptFrame.class));
    }

    private static <M extends Message> M carried(FrameCodec from, FrameCodec to, M message)
            throws ReplicationException {
        var frame = from.encode(message);
        @SuppressWarnings("unchecked") // what arrives is what was sent
        var arrived = (M) to.decode(FrameHeader.parse(frame), frame.slice());
        return arrived;
    }

    private static String hex(ByteBuffer frame) {
        byte[] bytes = new byte[frame.remaining()];
        frame.duplicate().get(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}

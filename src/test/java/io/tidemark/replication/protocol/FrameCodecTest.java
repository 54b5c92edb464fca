package io.tidemark.replication.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import io.tidemark.transport.ZstdCompression;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FrameCodecTest {
    private static final LinkId LINK = new LinkId("ln-1");
    private static final RecoveryPointId POINT = new RecoveryPointId("rp-2");
    private static final RecoveryPointId BASE = new RecoveryPointId("rp-1");
    private static final VolumeId VOLUME = new VolumeId("memory:a");

    static Stream<Message> everyMessage() {
        var totals = IngestTotals.NOTHING.plus(
                new Message.Blocks(List.of(new BlockExtent(4096, 4096, false)), ByteBuffer.wrap(new byte[4096])));
        return Stream.concat(
                Stream.of(
                        new Message.Hello(1, 1, Message.Purpose.SYNC, "tidemark 0.1"),
                        new Message.Welcome(1, "tidemark 0.1"),
                        new Message.Alive("apply", 1, 2),
                        new Message.Offer(LINK, POINT, List.of(BASE), 1 << 30, 4096, "{\"x\":\"é\"}"),
                        new Message.Accept(false, false, Optional.of(BASE), totals),
                        new Message.Accept(true, true, Optional.empty(), IngestTotals.NOTHING),
                        new Message.DigestsWanted(0, 16 << 20),
                        new Message.Digests(0, 8192, ByteBuffer.wrap(new byte[32])),
                        new Message.Digests(0, 16 << 20, ByteBuffer.allocate(0)),
                        blocks(256 << 10, 1),
                        new Message.Acknowledged(totals),
                        new Message.Commit(totals, new SyncCost("full", 1, 2, 3, 4, 5, 6, 7, 8)),
                        new Message.Committed(POINT),
                        new Message.OpenLink(LINK, new GroupId("g"), VOLUME, new VolumeId("memory:b"), 512),
                        new Message.LinkOpened(512),
                        new Message.OpenStreamLink(LINK, new GroupId("g"), VOLUME, new VolumeId("btrfs:b"), "btrfs"),
                        new Message.Verify(LINK, POINT),
                        new Message.VerifyReady(1 << 20),
                        new Message.NodesWanted(2, 7, 65_536),
                        new Message.Nodes(0, 7, ByteBuffer.wrap(new byte[65_536 * 16])),
                        new Message.Reverse(LINK, Optional.of(POINT), 900_000),
                        new Message.Reverse(LINK, Optional.empty(), 0),
                        new Message.Reversed(),
                        new Message.Pair(ByteBuffer.wrap(new byte[32]), "127.0.0.1:7000"),
                        new Message.Paired()),
                everyError().map(Message.Refused::new));
    }

    static Stream<ReplicationError> everyError() {
        return Stream.of(
                new ReplicationError.LinkUnknown(LINK),
                new ReplicationError.NoCommonBase(LINK, List.of(BASE), List.of(POINT)),
                new ReplicationError.Diverged(LINK, BASE, POINT),
                new ReplicationError.TargetWritten(VOLUME, "3 blocks differ"),
                new ReplicationError.TargetSmaller(VOLUME, 1, 2),
                new ReplicationError.ChecksumMismatch(POINT, "a", "b"),
                new ReplicationError.LinkBusy(LINK, Duration.ofSeconds(5)),
                new ReplicationError.InvitationRefused("used"),
                new ReplicationError.Cancelled(LINK),
                new ReplicationError.Storage(new ProviderError.Busy("a", "b", Duration.ofSeconds(1))),
                new ReplicationError.Storage(new ProviderError.OutOfSpace("a", 1, 2)),
                new ReplicationError.Storage(new ProviderError.VolumeNotFound(VOLUME)),
                new ReplicationError.PeerRefused("x", "y"),
                new ReplicationError.LinkPaused(LINK),
                new ReplicationError.NoTarget(LINK));
    }

    @ParameterizedTest
    @MethodSource("everyMessage")
    void whatIsSentArrives(Message message) throws Exception {
        var frame = copy(new FrameCodec(new ZstdCompression()).encode(message));

        var arrived = decode(new FrameCodec(new ZstdCompression()), frame);

        assertThat(arrived).isEqualTo(message);
    }

    @ParameterizedTest
    @MethodSource("everyMessage")
    void everyFlippedBitIsFound(Message message) {
        var frame = copy(new FrameCodec(new ZstdCompression()).encode(message));
        int bits = frame.limit() * Byte.SIZE;
        var random = new Random(bits);

        for (int trial = 0; trial < Math.min(bits, 400); trial++) {
            int bit = bits <= 400 ? trial : random.nextInt(bits);
            byte[] damaged = bytes(frame);
            damaged[bit / Byte.SIZE] ^= (byte) (1 << bit % Byte.SIZE);

            assertThatThrownBy(() -> decode(new FrameCodec(new ZstdCompression()), ByteBuffer.wrap(damaged)))
                    .as("bit %d", bit)
                    .isInstanceOf(ReplicationException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("everyMessage")
    void everyTruncationIsFound(Message message) {
        var frame = copy(new FrameCodec(new ZstdCompression()).encode(message));
        var random = new Random(7);

        for (int trial = 0; trial < 100; trial++) {
            int length = random.nextInt(frame.limit());

            assertThatThrownBy(() -> decode(
                            new FrameCodec(new ZstdCompression()),
                            ByteBuffer.wrap(bytes(frame), 0, length).slice()))
                    .isInstanceOf(ReplicationException.class);
        }
    }

    @Test
    void payloadsOfNoiseWithARightChecksumAreRefusedOrRead() {
        var random = new Random(11);
        for (int trial = 0; trial < 20_000; trial++) {
            var type = List.of(FrameType.values()).get(random.nextInt(FrameType.values().length));
            var frame = ByteBuffer.allocate(FrameHeader.BYTES + random.nextInt(200));
            random.nextBytes(frame.array());
            if (random.nextBoolean()) {
                // Small numbers reach deeper into the decoder than noise does.
                for (int at = FrameHeader.BYTES; at < frame.limit(); at++) {
                    frame.put(at, (byte) (frame.get(at) & 3 & random.nextInt()));
                }
            }
            FrameHeader.write(frame, 1, type, random.nextInt(4) == 0, 0);
            try {
                decode(new FrameCodec(new ZstdCompression()), frame);
            } catch (ReplicationException e) {
                assertThat(e.error().message()).isNotBlank();
            }
        }
    }

    @Test
    void anAnnouncedLengthOverTheLimitIsRefusedBeforeAnythingIsHeld() {
        var header = ByteBuffer.allocate(FrameHeader.BYTES);
        FrameHeader.write(header, 1, FrameType.HELLO, false, 0);
        header.putInt(8, Integer.MAX_VALUE);

        assertThatThrownBy(() -> FrameHeader.parse(header.rewind())).hasMessageContaining("at most");
    }

    @Test
    void aFrameTwiceIsFound() throws Exception {
        var frame = copy(new FrameCodec(new ZstdCompression()).encode(new Message.Paired()));
        var receiver = new FrameCodec(new ZstdCompression());
        decode(receiver, frame.duplicate());

        assertThatThrownBy(() -> decode(receiver, frame.rewind())).hasMessageContaining("was due");
    }

    @Test
    void anotherProtocolVersionIsNamed() {
        var frame = ByteBuffer.allocate(FrameHeader.BYTES);
        FrameHeader.write(frame, 9, FrameType.PAIRED, false, 0);

        assertThatThrownBy(() -> decode(new FrameCodec(new ZstdCompression()), frame.rewind()))
                .isInstanceOfSatisfying(
                        ReplicationException.class,
                        e -> assertThat(e.error()).isEqualTo(new ReplicationError.ProtocolMismatch("1", "9")));
    }

    @Test
    void framingOfScatteredBlocksCostsLessThanOnePercent() {
        var random = new Random(3);
        var codec = new FrameCodec(new ZstdCompression());
        long wire = 0;
        long payload = 0;
        for (int frame = 0; frame < 20; frame++) {
            var message = blocks(4096, random.nextLong());
            wire += codec.encode(message).remaining();
            payload += message.data().remaining();
        }

        assertThat((double) wire / payload).isLessThanOrEqualTo(1.01);
    }

    private static Message.Blocks blocks(int extentBytes, long seed) {
        var data = ByteBuffer.allocate(256 << 10);
        new Random(seed).nextBytes(data.array());
        var extents = new java.util.ArrayList<BlockExtent>();
        for (int at = 0; at < data.limit(); at += extentBytes) {
            extents.add(new BlockExtent(2L * at, extentBytes, false));
        }
        extents.add(new BlockExtent(1L << 40, 1 << 30, true));
        return new Message.Blocks(extents, data);
    }

    private static Message decode(FrameCodec codec, ByteBuffer frame) throws ReplicationException {
        if (frame.remaining() < FrameHeader.BYTES) {
            throw FrameHeader.corrupt("too short");
        }
        var header = FrameHeader.parse(frame);
        if (frame.remaining() != header.lengthBytes()) {
            throw FrameHeader.corrupt("length");
        }
        return codec.decode(header, frame.slice());
    }

    private static byte[] bytes(ByteBuffer frame) {
        var bytes = new byte[frame.remaining()];
        frame.duplicate().get(bytes);
        return bytes;
    }

    private static ByteBuffer copy(ByteBuffer frame) {
        var copy = ByteBuffer.allocate(frame.remaining());
        return copy.put(frame).flip();
    }
}

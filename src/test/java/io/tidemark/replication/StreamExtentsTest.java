package io.tidemark.replication;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.domain.LinkId;
import io.tidemark.replication.protocol.BlockExtent;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A stream's bytes come without a gap, and none is told by digest. */
class StreamExtentsTest {
    private TargetSync receiving = receiving();

    private static TargetSync receiving() {
        var sync = TargetSync.of("test");
        var offer = new Message.Offer(
                new LinkId("ln-1"),
                new RecoveryPointId("rp-1"),
                List.of(),
                Message.Offer.STREAM_BYTES,
                Message.Offer.STREAM_BLOCK_BYTES,
                "{}");
        var empty = new TargetView(
                new VolumeId("btrfs:copy"), 0, List.of(), Optional.empty(), Optional.empty(), Optional.empty());
        for (var input : List.of(
                new TargetInput.Received(new Message.Hello(1, 1, Message.Purpose.SYNC, "test")),
                new TargetInput.Received(offer),
                new TargetInput.Looked(empty))) {
            sync = sync.step(input).sync();
        }
        return sync;
    }

    private TargetState receive(Message message) {
        receiving = receiving.step(new TargetInput.Received(message)).sync();
        return receiving.state();
    }

    private static Message blocks(long offset, int length) {
        return new Message.Blocks(List.of(new BlockExtent(offset, length, false)), ByteBuffer.allocate(length));
    }

    @Test
    void anyLengthIsTakenThatFollowsTheOneBefore() {
        assertThat(receive(blocks(0, 4_099))).isEqualTo(TargetState.RECEIVING);
        assertThat(receive(blocks(4_099, 1))).isEqualTo(TargetState.RECEIVING);
        assertThat(receiving.received().throughBytes()).isEqualTo(4_100);
    }

    @Test
    void aGapIsRefused() {
        receive(blocks(0, 4_096));

        assertThat(receive(blocks(8_192, 4_096))).isEqualTo(TargetState.FAILED);
    }

    @Test
    void zerosAreNotLeftOutOfAStream() {
        var zeros = new Message.Blocks(List.of(new BlockExtent(0, 4_096, true)), ByteBuffer.allocate(0));

        assertThat(receive(zeros)).isEqualTo(TargetState.FAILED);
    }

    @Test
    void noDigestsAreAnswered() {
        assertThat(receive(new Message.DigestsWanted(0, 4_096))).isEqualTo(TargetState.FAILED);
    }
}

package io.tidemark.replication.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.replication.live.DirtyBitmap.Run;
import io.tidemark.replication.live.LiveMessage.Block;
import io.tidemark.replication.live.LiveMessage.Compare;
import io.tidemark.replication.live.LiveMessage.Differing;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A resync that sends digests first. */
class ComparingResyncTest extends DrivenCopy {
    @BeforeEach
    void asksAboutSixteenBlocks() {
        isComparing = true;
        copy = copy(5 * GIB, Protocol.C, NEW, UnaryOperator.identity());
        becomesSource();
        peerSays(new LiveMessage.Dirty(List.of(new Run(0, 16)), true));
        diskEnds();
    }

    private <M extends LiveMessage> List<M> sent(Class<M> kind) {
        return all(LiveEffect.Send.class).stream()
                .map(LiveEffect.Send::message)
                .filter(kind::isInstance)
                .map(kind::cast)
                .toList();
    }

    @Test
    void onlyWhatDiffersIsReadAndSent() {
        assertThat(sent(Compare.class)).hasSize(1);
        assertThat(reads).isEmpty();

        peerSays(new Differing(1, List.of(new Run(2, 3), new Run(9, 1))));
        peerSays(new LiveMessage.Durable(1));
        assertThat(copy.status().dirtyBlocks()).isEqualTo(4);
        assertThat(reads).hasSize(2);

        reads.forEach(read -> happens(new LiveEvent.ReadDone(read.work(), DATA)));
        assertThat(sent(Block.class)).extracting(Block::offset).containsExactly(2 * 4_096L, 9 * 4_096L);
        peerSays(new LiveMessage.Durable(3));
        assertThat(copy.status().dirtyBlocks()).isZero();
        assertThat(sent(LiveMessage.Finished.class)).hasSize(1);
    }

    @Test
    void theVolumesLastBlockMayBeAPartOfOne() {
        long size = 15 * 4_096 + 512;
        copy = copy(size, Protocol.C, NEW, UnaryOperator.identity());
        effects.clear();
        disk.clear();
        happens(new LiveEvent.Connected(SESSION));
        peerSays(hello(OLD, Map.of(), size));
        peerSays(new LiveMessage.Dirty(List.of(new Run(0, 16)), true));
        diskEnds();

        peerSays(new Differing(1, List.of(new Run(15, 1))));
        peerSays(new LiveMessage.Durable(1));

        assertThat(copy.status().dirtyBlocks()).isEqualTo(1);
    }

    @Test
    void whatIsConfirmedAndWasNotComparedStaysDirtyAndEndsTheSession() {
        peerSays(new LiveMessage.Durable(1));

        assertThat(all(LiveEffect.Disconnect.class).getFirst().why())
                .isEqualTo("the peer confirms a comparison that it has not answered");
        assertThat(copy.status().dirtyBlocks()).isEqualTo(16);
    }

    @Test
    void anAnswerOutOfOrderEndsTheSession() {
        peerSays(new Differing(1, List.of(new Run(9, 1), new Run(2, 3))));

        assertThat(all(LiveEffect.Disconnect.class)).hasSize(1);
        assertThat(copy.status().dirtyBlocks()).isEqualTo(16);
    }
}

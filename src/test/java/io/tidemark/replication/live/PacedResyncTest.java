package io.tidemark.replication.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.replication.live.DirtyBitmap.Run;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** A resync that asks for no more than its rate. */
class PacedResyncTest extends DrivenCopy {
    /** Sixteen blocks, of one message. */
    private static final long MESSAGE = 16 * 4_096;

    @Test
    void whatItMayNotAskForYetComesWithATick() {
        rate = new ResyncRate(0, 0, 0, 10 * MESSAGE);
        copy = copy(5 * GIB, Protocol.C, NEW, UnaryOperator.identity());
        becomesSource();
        peerSays(new LiveMessage.Dirty(List.of(new Run(0, 64)), true));
        diskEnds();
        assertThat(reads).hasSize(1);

        now += ResyncPace.STEP - 1;
        happens(new LiveEvent.Tick());
        assertThat(reads).hasSize(1);

        now += 1;
        happens(new LiveEvent.Tick());
        assertThat(reads).hasSize(2);
    }
}

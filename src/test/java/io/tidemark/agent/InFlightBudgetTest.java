package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.replication.TargetSync;
import io.tidemark.replication.protocol.Message;
import java.util.ArrayList;
import java.util.Random;
import org.junit.jupiter.api.Test;

class InFlightBudgetTest {
    private static final int FRAME = Message.Blocks.DATA_BYTES_MAXIMUM;

    @Test
    void oneLinkAloneMayHaveAllOfIt() {
        var share = new InFlightBudget(8L * FRAME, FRAME).join();

        for (int frame = 0; frame < 8; frame++) {
            assertThat(share.grant()).isTrue();
        }

        assertThat(share.grant()).isFalse();
    }

    @Test
    void slowLinksLeaveOthersTheirShareOfTheUpperHalf() {
        var budget = new InFlightBudget(16L * FRAME, FRAME);
        var slow = budget.join();
        var other = budget.join();
        while (slow.grant()) {
            // Nothing of it is ever acknowledged.
        }

        int granted = 0;
        while (other.grant()) {
            granted++;
        }

        assertThat(granted).isEqualTo(8);
    }

    @Test
    void itsOwnIsALinksWhateverOthersHave() {
        var budget = new InFlightBudget(FRAME, FRAME);
        var first = budget.join();
        var second = budget.join();

        assertThat(first.grant()).isTrue();
        assertThat(second.grant()).isTrue();
        assertThat(first.grant()).isFalse();
        assertThat(second.grant()).isFalse();
    }

    @Test
    void whatIsDurableAndWhoEndsMakesRoom() {
        var budget = new InFlightBudget(2L * FRAME, FRAME);
        var first = budget.join();
        var second = budget.join();
        first.grant();
        second.grant();
        assertThat(first.grant()).isFalse();

        second.hold(0);
        second.close();
        second.close();
        second.hold(FRAME);

        assertThat(first.grant()).isTrue();
        assertThat(budget.usedBytes()).isEqualTo(2L * FRAME);
    }

    @Test
    void itIsNeverExceededByMoreThanOneFrameForEachLink() {
        for (long seed = 0; seed < 200; seed++) {
            var random = new Random(seed);
            long maximum = (1 + random.nextInt(40)) * (long) FRAME / 2;
            long own = (1 + random.nextInt(3)) * (long) FRAME;
            var budget = new InFlightBudget(maximum, own);
            int links = 1 + random.nextInt(9);
            long bound = Math.max(maximum, links * own) + links * (long) FRAME;
            var shares = new ArrayList<InFlightBudget.Share>();
            long[] inFlight = new long[links];
            for (int link = 0; link < links; link++) {
                shares.add(budget.join());
            }
            for (int step = 0; step < 2_000; step++) {
                int link = random.nextInt(links);
                if (random.nextInt(3) == 0) {
                    inFlight[link] -= Math.min(inFlight[link], random.nextInt(4 * FRAME));
                    shares.get(link).hold(inFlight[link]);
                } else if (shares.get(link).grant()) {
                    inFlight[link] += 1 + random.nextInt(FRAME);
                    shares.get(link).hold(inFlight[link]);
                } else {
                    assertThat(inFlight[link]).as("seed %d", seed).isGreaterThanOrEqualTo(own);
                }
                assertThat(budget.usedBytes()).as("seed %d", seed).isLessThan(bound);
            }
        }
    }

    @Test
    void ofManyLinksEachMaySendWhatATargetAcknowledges() {
        var budget = new InFlightBudget(1);
        budget.join();
        var share = budget.join();

        long granted = 0;
        while (share.grant()) {
            granted += FRAME;
        }

        assertThat(granted).isEqualTo(TargetSync.SYNC_BYTES);
    }

    @Test
    void noBytesAtAllAreNoBudget() {
        assertThatThrownBy(() -> new InFlightBudget(0)).hasMessageContaining("maximumBytes");
    }
}

package io.tidemark.replication;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.RecoveryPointId;
import java.util.List;
import org.junit.jupiter.api.Test;

class KeptPointsTest {
    private static final RecoveryPointId OFFERED = new RecoveryPointId("rp-7");

    private static RecoveryPointId id(String value) {
        return new RecoveryPointId(value);
    }

    @Test
    void anIdIsNotUsedTwiceWhenAnEarlierOneWasDeleted() {
        var first = KeptPoints.next(List.of(), OFFERED);
        var second = KeptPoints.next(List.of(first), OFFERED);

        var third = KeptPoints.next(KeptPoints.earlier(List.of(second), OFFERED), OFFERED);

        assertThat(List.of(first, second, third))
                .containsExactly(id("rp-0kept7000"), id("rp-0kept7001"), id("rp-0kept7002"));
    }

    @Test
    void whatWasKeptForAnotherRecoveryPointIsNotAnEarlierOne() {
        var ofItsSecondDrain = KeptPoints.next(List.of(), id("rp-7d2"));
        var own = KeptPoints.next(List.of(), OFFERED);

        assertThat(KeptPoints.earlier(List.of(ofItsSecondDrain, own, id("rp-7")), OFFERED))
                .containsExactly(own);
    }

    @Test
    void theThousandthSortsBehindTheOnesBefore() {
        var points = List.of(id("rp-0kept71000"), id("rp-0kept7999"));

        assertThat(KeptPoints.earlier(points, OFFERED).getLast()).isEqualTo(id("rp-0kept71000"));
        assertThat(KeptPoints.next(KeptPoints.earlier(points, OFFERED), OFFERED))
                .isEqualTo(id("rp-0kept71001"));
    }

    @Test
    void anIdOfTheGreatestLengthLeavesRoomForTheCounter() {
        var longest = id("rp-" + "7".repeat(40));

        assertThat(KeptPoints.is(KeptPoints.next(List.of(), longest))).isTrue();
    }
}

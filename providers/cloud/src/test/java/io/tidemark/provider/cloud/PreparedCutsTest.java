package io.tidemark.provider.cloud;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.CutRequest;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.util.List;
import org.junit.jupiter.api.Test;

class PreparedCutsTest {
    private final PreparedCuts<String> plans = new PreparedCuts<>();

    private static CutRequest request(int number, String... volumes) {
        return new CutRequest(
                new RecoveryPointId("rp-" + number),
                List.of(volumes).stream().map(VolumeId::new).toList());
    }

    @Test
    void planIsTakenOnceAndByItsOwnRequestAlone() {
        plans.keep(request(1, "ebs:a"), "first");
        plans.keep(request(1, "ebs:a"), "second");

        assertThat(plans.take(request(2, "ebs:a"))).isEmpty();
        assertThat(plans.take(request(1, "ebs:a"))).contains("second");
        assertThat(plans.take(request(1, "ebs:a"))).isEmpty();
        plans.keep(request(1, "ebs:a"), "third");
        assertThat(plans.take(request(1, "ebs:a", "ebs:b"))).isEmpty();
        assertThat(plans.take(request(1, "ebs:a")))
                .as("it was of another request")
                .isEmpty();
    }

    @Test
    void oldestOfThoseThatWereNeverCutIsForgotten() {
        for (int number = 0; number <= PreparedCuts.PLANS_MAXIMUM; number++) {
            plans.keep(request(number, "ebs:a"), "plan " + number);
        }

        assertThat(plans.take(request(0, "ebs:a"))).isEmpty();
        assertThat(plans.take(request(1, "ebs:a"))).contains("plan 1");
        assertThat(plans.take(request(PreparedCuts.PLANS_MAXIMUM, "ebs:a"))).isPresent();
    }
}

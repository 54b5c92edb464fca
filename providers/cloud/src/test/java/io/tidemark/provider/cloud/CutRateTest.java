package io.tidemark.provider.cloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.PublishedLimit;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class CutRateTest {
    private static final VolumeId ORDERS = new VolumeId("gce:orders");
    private static final VolumeId WAL = new VolumeId("gce:wal");

    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-11-27T12:00:00Z"));
    private final CutRate sixAnHour = new CutRate(
            new PublishedLimit("snapshots", PublishedLimit.Kind.CUTS_OF_VOLUME, 6, Duration.ofHours(1), "a page"),
            now::get);

    private void passes(Duration time) {
        now.updateAndGet(instant -> instant.plus(time));
    }

    @Test
    void oneTooManyIsRefusedUntilTheOldestIsAnHourOld() throws Exception {
        for (int count = 0; count < 6; count++) {
            sixAnHour.refuseTooSoon(ORDERS);
            sixAnHour.cut(ORDERS);
            passes(Duration.ofMinutes(1));
        }

        assertThatThrownBy(() -> sixAnHour.refuseTooSoon(ORDERS))
                .isInstanceOfSatisfying(ProviderException.class, failure -> {
                    var busy = (ProviderError.Busy) failure.error();
                    assertThat(busy.retryAfter()).isEqualTo(Duration.ofMinutes(54));
                    assertThat(busy.holder()).contains("6 cuts in 3600 s", "a page");
                });
        sixAnHour.refuseTooSoon(WAL);
        passes(Duration.ofMinutes(54));
        sixAnHour.refuseTooSoon(ORDERS);
    }

    @Test
    void aSlowScheduleIsNeverRefused() {
        for (int count = 0; count < 50; count++) {
            assertThatCode(() -> sixAnHour.refuseTooSoon(ORDERS)).doesNotThrowAnyException();
            sixAnHour.cut(ORDERS);
            passes(Duration.ofMinutes(10));
        }
    }
}

package io.tidemark.provider.cloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.PublishedLimit;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CutRateTest {
    private static final VolumeId VOLUME = new VolumeId("gce:orders");
    private static final Instant NOON = Instant.parse("2026-11-27T12:00:00Z");
    private static final CutRate SIX_AN_HOUR = new CutRate(
            new PublishedLimit("snapshots", PublishedLimit.Kind.CUTS_OF_VOLUME, 6, Duration.ofHours(1), "a page"));

    @Test
    void oneTooManyIsRefusedUntilTheOldestIsAnHourOld() throws Exception {
        var cuts = new ArrayList<Instant>();
        for (int minute = 0; minute < 6; minute++) {
            SIX_AN_HOUR.refuseTooSoon(VOLUME, cuts, NOON.plusSeconds(60L * minute));
            cuts.addFirst(NOON.plusSeconds(60L * minute));
        }
        var soon = NOON.plusSeconds(360);

        assertThatThrownBy(() -> SIX_AN_HOUR.refuseTooSoon(VOLUME, cuts, soon))
                .isInstanceOfSatisfying(ProviderException.class, failure -> {
                    var busy = (ProviderError.Busy) failure.error();
                    assertThat(busy.retryAfter()).isEqualTo(Duration.ofMinutes(54));
                    assertThat(busy.holder()).contains("6 cuts in 3600 s", "a page");
                });
        SIX_AN_HOUR.refuseTooSoon(VOLUME, cuts, soon.plus(Duration.ofMinutes(54)));
    }

    @Test
    void whatIsLongPastDoesNotCount() throws Exception {
        SIX_AN_HOUR.refuseTooSoon(
                VOLUME, List.of(NOON, NOON, NOON, NOON, NOON, NOON, NOON), NOON.plus(Duration.ofHours(1)));
    }
}

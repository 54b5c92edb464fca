package io.tidemark.provider.cloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.PublishedLimit;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class CutRatesTest {
    private static final VolumeId A = new VolumeId("cloud:a");
    private static final VolumeId B = new VolumeId("cloud:b");
    private static final String REFUSAL = "the cloud's limit";

    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 1_000);
    private final CutRates rates = new CutRates(
            Optional.of(new PublishedLimit(
                    "snapshots", PublishedLimit.Kind.CUTS_OF_VOLUME, 2, Duration.ofMinutes(5), "a page")),
            REFUSAL,
            nanos::get);

    @Test
    void cutAboveTheLimitIsRefusedUntilTheOldestIsOutOfTheWindow() {
        rates.begun(List.of(A, B));
        pass(Duration.ofSeconds(100));
        assertThatCode(() -> rates.allow(List.of(A, B))).doesNotThrowAnyException();
        rates.begun(List.of(A));

        assertThatCode(() -> rates.allow(List.of(B))).doesNotThrowAnyException();
        var busy = refused(List.of(B, A));
        assertThat(busy.object()).isEqualTo("cloud:a");
        assertThat(busy.retryAfter()).isEqualTo(Duration.ofSeconds(200));
        assertThat(busy.message()).contains("2 cuts in 300 s", "a page", "again in 200 s", "publishedRates: ignore");

        pass(Duration.ofSeconds(184));
        assertThat(refused(List.of(A)).retryAfter()).isEqualTo(Duration.ofSeconds(16));
        pass(Duration.ofSeconds(1));
        assertThatCode(() -> rates.allow(List.of(A))).doesNotThrowAnyException();
    }

    @Test
    void refusalOfTheCloudIsKeptInMindForItsTime() {
        rates.failed(List.of(A), failure(REFUSAL));

        assertThat(refused(List.of(A)).holder()).isEqualTo(REFUSAL);
        assertThatCode(() -> rates.allow(List.of(B))).doesNotThrowAnyException();
        pass(Duration.ofSeconds(30));
        assertThatCode(() -> rates.allow(List.of(A))).doesNotThrowAnyException();
    }

    /** What is begun is counted later than it was allowed, now by more and now by less. */
    @Test
    void scheduleOfExactlyTheRateIsNotRefusedForItsJitter() throws Exception {
        var of = new PublishedLimit("snapshots", PublishedLimit.Kind.CUTS_OF_VOLUME, 6, Duration.ofHours(1), "a page");
        var kept = new CutRates(Optional.of(of), REFUSAL, nanos::get);
        var random = new Random(3);
        long start = nanos.get();
        for (int count = 0; count < 300; count++) {
            nanos.set(start + Duration.ofMinutes(10L * count).toNanos() + random.nextLong(5_000_000_000L));
            kept.allow(List.of(A));
            pass(Duration.ofMillis(random.nextInt(20_000)));
            kept.begun(List.of(A));
        }
        assertThatThrownBy(() -> kept.allow(List.of(A))).isInstanceOf(ProviderException.class);
    }

    /** Else a cloud that refuses for another reason would be followed by refusals of our own. */
    @Test
    void cutThatWasAnsweredWithARefusalDoesNotCountAndOneWithoutAnAnswerDoes() {
        rates.begun(List.of(A));
        for (int count = 0; count < 5; count++) {
            rates.begun(List.of(A));
            rates.failed(List.of(A), failure("somebody else"));
        }
        assertThatCode(() -> rates.allow(List.of(A))).doesNotThrowAnyException();

        rates.begun(List.of(A));
        rates.failed(List.of(A), new ProviderException(new ProviderError.Unreachable("the cloud", "no answer")));
        assertThat(refused(List.of(A)).retryAfter()).isEqualTo(Duration.ofMinutes(5));

        // What was counted before a refusal is none the less counted after it.
        rates.begun(List.of(A));
        rates.failed(List.of(A), failure("somebody else"));
        assertThat(refused(List.of(A)).retryAfter()).isEqualTo(Duration.ofMinutes(5));
    }

    @Test
    void otherFailuresSayNothingOfTheRate() {
        rates.failed(List.of(A), failure("somebody else"));

        assertThatCode(() -> rates.allow(List.of(A))).doesNotThrowAnyException();
    }

    @Test
    void memoryIsBounded() {
        for (int i = 0; i <= CutRates.VOLUMES_MAXIMUM; i++) {
            var volume = List.of(new VolumeId("cloud:v" + i));
            rates.begun(volume);
            rates.begun(volume);
        }

        assertThatCode(() -> rates.allow(List.of(new VolumeId("cloud:v0")))).doesNotThrowAnyException();
        assertThat(refused(List.of(new VolumeId("cloud:v1"))).object()).isEqualTo("cloud:v1");
    }

    private static ProviderException failure(String holder) {
        return new ProviderException(new ProviderError.Busy("cloud:a", holder, Duration.ofSeconds(30)));
    }

    private void pass(Duration time) {
        nanos.addAndGet(time.toNanos());
    }

    private ProviderError.Busy refused(List<VolumeId> volumes) {
        var thrown = catchThrowableOfType(ProviderException.class, () -> rates.allow(volumes));
        return (ProviderError.Busy) thrown.error();
    }
}

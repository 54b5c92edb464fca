package io.tidemark.provider.devices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.provider.devices.LongWork.Asked;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Step;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class LongWorkTest {
    private static final Volume VOLUME =
            new Volume(VolumeId.of("image", "clone"), 1, Set.of(), Optional.empty(), List.of(), Map.of());

    @Test
    void shortWorkIsDoneAtOnce() throws Exception {
        try (var work = new LongWork("image")) {
            assertThat(work.run("clone a b", Asked.ANEW, 10, copied -> VOLUME)).isEqualTo(new Step.Done<>(VOLUME));
        }
    }

    @Test
    void longWorkAnswersItsHandleAndProgressAndIsJoinedByItsToken() throws Exception {
        var mayEnd = new CountDownLatch(1);
        var runs = new AtomicInteger();
        LongWork.Work long100 = copied -> {
            runs.incrementAndGet();
            copied.accept(25);
            await(mayEnd);
            return VOLUME;
        };
        try (var work = new LongWork("image")) {
            var first = work.run("clone a b", Asked.ANEW, 100, long100);
            assertThat(first).isInstanceOfSatisfying(Step.Running.class, running -> {
                assertThat(running.handle().token()).isEqualTo("clone a b");
                assertThat(running.progress()).isEqualTo(0.25);
            });
            assertThat(work.known("clone a b")).isTrue();
            assertThat(work.runs("clone a b")).isTrue();
            assertThat(work.known("clone a c")).isFalse();
            assertThat(work.runs("clone a c")).isFalse();

            mayEnd.countDown();

            assertThat(work.run("clone a b", Asked.AGAIN, 100, long100)).isEqualTo(new Step.Done<>(VOLUME));
            assertThat(runs).hasValue(1);
        }
    }

    @Test
    void freshRequestIsNotAnsweredByWhatEndedBeforeItNorHinderedByIt() throws Exception {
        var mayEnd = new CountDownLatch(1);
        var ended = new CountDownLatch(LongWork.RUNNING_MAXIMUM);
        var runs = new AtomicInteger();
        LongWork.Work slow = copied -> {
            runs.incrementAndGet();
            await(mayEnd);
            ended.countDown();
            return VOLUME;
        };
        try (var work = new LongWork("image")) {
            try (var askers = Executors.newFixedThreadPool(LongWork.RUNNING_MAXIMUM)) {
                for (int i = 0; i < LongWork.RUNNING_MAXIMUM; i++) {
                    var token = "rollback " + i;
                    var unused = askers.submit(() -> work.run(token, Asked.ANEW, 1, slow));
                }
            }
            assertThat(catchThrowableOfType(
                                    ProviderException.class, () -> work.run("rollback more", Asked.ANEW, 1, slow))
                            .error())
                    .isInstanceOf(ProviderError.Busy.class);

            mayEnd.countDown();
            assertThat(ended.await(30, TimeUnit.SECONDS)).isTrue();
            Thread.sleep(200);

            assertThat(work.run("rollback 0", Asked.ANEW, 1, slow)).isInstanceOf(Step.Done.class);
            assertThat(runs).hasValue(LongWork.RUNNING_MAXIMUM + 1);
            assertThat(work.run("rollback 1", Asked.AGAIN, 1, slow)).isInstanceOf(Step.Done.class);
            assertThat(runs).hasValue(LongWork.RUNNING_MAXIMUM + 1);
        }
    }

    @Test
    void failureOfTheWorkIsItsCallersAndTheNextCallStartsAnew() throws Exception {
        var error = new ProviderError.OutOfSpace("folder", 1, 2);
        try (var work = new LongWork("image")) {
            var thrown = catchThrowableOfType(
                    ProviderException.class, () -> work.run("clone a b", Asked.ANEW, 1, copied -> fail(error)));
            assertThat(thrown.error()).isEqualTo(error);
            assertThat(work.run("clone a b", Asked.ANEW, 1, copied -> VOLUME)).isInstanceOf(Step.Done.class);
            assertThatThrownBy(() -> work.run("clone a b", Asked.ANEW, 1, copied -> {
                        throw new IllegalStateException("bug");
                    }))
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void closingInterruptsWhatRuns() throws Exception {
        var ended = new CountDownLatch(1);
        try (var work = new LongWork("image")) {
            assertThat(work.run("clone a b", Asked.ANEW, 1, copied -> {
                        await(new CountDownLatch(1));
                        ended.countDown();
                        return VOLUME;
                    }))
                    .isInstanceOf(Step.Running.class);
        }
        assertThat(ended.await(5, TimeUnit.SECONDS)).isTrue();
    }

    private static Volume fail(ProviderError error) throws ProviderException {
        throw new ProviderException(error);
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

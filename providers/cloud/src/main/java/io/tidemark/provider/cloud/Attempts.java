package io.tidemark.provider.cloud;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.time.Duration;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * Asks again where that can do no harm: calls that only read, or that name what they make. The one layer of retries, and of the pace at which an
 * account is asked ({@link Pacing}); the
 * SDK's own are off, for they would multiply, and would make two snapshots of one.
 */
public final class Attempts {
    /** With full jitter between them, some 10 s in the middle. */
    public static final int COUNT_MAXIMUM = 8;

    private static final Duration PAUSE_FIRST = Duration.ofMillis(100);
    private static final Duration PAUSE_MAXIMUM = Duration.ofSeconds(5);

    private final RandomGenerator random;
    private final Sleeper sleeper;
    private final Pacing pacing;
    private final int count;

    /** Waits so long; in tests it does not. */
    public interface Sleeper {
        void sleep(Duration pause) throws InterruptedException;
    }

    public interface Call<T> {
        T ask() throws ProviderException;
    }

    public Attempts(RandomGenerator random, Sleeper sleeper) {
        this(random, sleeper, System::nanoTime);
    }

    Attempts(RandomGenerator random, Sleeper sleeper, LongSupplier nanos) {
        this(random, sleeper, new Pacing(nanos), COUNT_MAXIMUM);
    }

    private Attempts(RandomGenerator random, Sleeper sleeper, Pacing pacing, int count) {
        this.random = random;
        this.sleeper = sleeper;
        this.pacing = pacing;
        this.count = count;
    }

    /** For where there is no time for a second one, nor for a turn: a file system is frozen meanwhile. */
    public Attempts once() {
        return new Attempts(random, sleeper, pacing, 1);
    }

    /** @throws ProviderException the last one's, after {@link #COUNT_MAXIMUM} */
    public <T> T until(Call<T> call) throws ProviderException {
        var pause = PAUSE_FIRST;
        for (int attempt = 1; ; attempt++) {
            var turn = count == 1 ? Duration.ZERO : pacing.turn();
            try {
                if (!turn.isZero()) {
                    sleeper.sleep(turn);
                }
                var answer = call.ask();
                pacing.answered();
                return answer;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ProviderException(new ProviderError.Busy("the account", "its limit of calls", turn), e);
            } catch (ProviderException e) {
                if (e.error() instanceof ProviderError.Busy && isPassing(e.error())) {
                    pacing.refused();
                }
                if (attempt == count || !isPassing(e.error())) {
                    throw e;
                }
                sleep(pause, e);
                pause = pause.multipliedBy(2).compareTo(PAUSE_MAXIMUM) < 0 ? pause.multipliedBy(2) : PAUSE_MAXIMUM;
            }
        }
    }

    /** A limit that takes a minute to pass is for the caller to wait for. */
    private static boolean isPassing(ProviderError error) {
        return switch (error) {
            case ProviderError.Busy busy -> busy.retryAfter().compareTo(PAUSE_MAXIMUM) <= 0;
            case ProviderError.Unreachable ignored -> true;
            default -> false;
        };
    }

    private void sleep(Duration pause, ProviderException cause) throws ProviderException {
        try {
            sleeper.sleep(Duration.ofNanos((long) (pause.toNanos() * (0.5 + random.nextDouble() / 2))));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw cause;
        }
    }
}

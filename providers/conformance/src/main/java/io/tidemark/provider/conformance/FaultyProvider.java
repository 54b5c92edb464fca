package io.tidemark.provider.conformance;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.StorageProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A provider that fails as told: the same seed and the same calls in the same order give the same failures.
 *
 * <p>A fault before the effect is a request that never arrived; one after it is an answer that was lost: the storage
 * has done it, and the caller must be able to ask again.
 */
public final class FaultyProvider extends InterceptedProvider {

    /** Whether the storage has acted when the caller sees the failure. */
    public enum When {
        BEFORE_EFFECT,
        AFTER_EFFECT
    }

    /**
     * One way to fail.
     *
     * @param probability 0 to 1, of each call
     * @param timesMaximum after so many failures this fault is spent
     */
    public record Fault(ProviderCall call, When when, double probability, int timesMaximum, ProviderError error) {
        public Fault {
            if (!(probability >= 0 && probability <= 1)) {
                throw new IllegalArgumentException("probability is not 0 to 1: " + probability);
            }
            if (timesMaximum < 0) {
                throw new IllegalArgumentException("timesMaximum is negative: " + timesMaximum);
            }
        }

        /** Fails the next call of its kind, once. */
        public static Fault once(ProviderCall call, When when, ProviderError error) {
            return new Fault(call, when, 1, 1, error);
        }
    }

    private final RandomGenerator random;
    private final List<Fault> faults;
    private final int[] times;
    private int failures;

    public FaultyProvider(StorageProvider inner, RandomGenerator random, List<Fault> faults) {
        super(inner);
        this.random = random;
        this.faults = List.copyOf(faults);
        this.times = new int[faults.size()];
    }

    /** How many calls have been failed so far. */
    public synchronized int failures() {
        return failures;
    }

    @Override
    <T> T intercept(ProviderCall call, Object subject, Action<T> action) throws ProviderException {
        var due = due(call);
        for (var fault : due) {
            if (fault.when() == When.BEFORE_EFFECT) {
                throw new ProviderException(fault.error());
            }
        }
        var answer = action.run();
        for (var fault : due) {
            var lost = new ProviderException(fault.error());
            closeLost(answer, lost);
            throw lost;
        }
        return answer;
    }

    /** Nobody else can close a reader or writer whose caller was told that it failed. */
    private static void closeLost(@Nullable Object answer, ProviderException lost) {
        if (answer instanceof AutoCloseable closeable) {
            try {
                closeable.close();
            } catch (Exception e) {
                lost.addSuppressed(e);
            }
        }
    }

    /** At most one fault a call, so that each is counted for a failure that the caller saw. */
    private synchronized List<Fault> due(ProviderCall call) {
        var due = new ArrayList<Fault>(1);
        for (int index = 0; index < faults.size() && due.isEmpty(); index++) {
            var fault = faults.get(index);
            boolean candidate = fault.call() == call && times[index] < fault.timesMaximum();
            if (candidate && random.nextDouble() < fault.probability()) {
                times[index]++;
                failures++;
                due.add(fault);
            }
        }
        return due;
    }
}

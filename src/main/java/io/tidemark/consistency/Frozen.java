package io.tidemark.consistency;

import io.tidemark.domain.Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Something that is frozen, to be undone whatever happens: use it in try-with-resources. Owned by one thread.
 *
 * <p>Truth is asked afterwards: a freeze may end by itself (its limit, a lost connection), and only an answer given
 * after the last cut proves anything about that cut.
 */
public interface Frozen extends AutoCloseable {

    /** Of the freeze limit that {@link #hold} may take: the rest is for the cut. */
    static Duration holdingLimit(Duration limit) {
        return limit.dividedBy(2);
    }

    /**
     * Right before the file systems are frozen: from now on the application's writers may be held, for no longer than
     * the limit, whoever dies. What need not hold them was done when it was frozen. Once at most.
     *
     * @param limit after which it ends by itself; what is held then has not held until the cut
     * @throws ConsistencyException FreezeFailed; no writer is held, and a thaw is due as ever
     */
    default void hold(Duration limit) throws ConsistencyException {}

    /** Whether it has held without a break since its acknowledgement. False when that cannot be known. */
    boolean heldUntilNow();

    /** Thaws, and tells what was frozen from when to when. Never throws; the second call answers as the first did. */
    Release thaw();

    /** {@link #thaw()}, for the paths that have no use for the answer. */
    @Override
    default void close() {
        var unused = thaw();
    }

    /**
     * @param freezes one for each thing that was frozen, in the order they were frozen
     * @param evidence texts to keep with the recovery point, by name: {@code backup_label}
     */
    record Release(List<Certificate.Freeze> freezes, Map<String, String> evidence) {
        public static final Release NOTHING = new Release(List.of(), Map.of());

        public Release {
            freezes = List.copyOf(freezes);
            evidence = Map.copyOf(evidence);
        }

        /** The same, where the freeze could not vouch for itself when it was asked. */
        public Release notHeld() {
            return new Release(freezes.stream().map(Certificate.Freeze::notHeld).toList(), evidence);
        }
    }
}

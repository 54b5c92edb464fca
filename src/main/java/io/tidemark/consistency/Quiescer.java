package io.tidemark.consistency;

import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Volume;
import java.time.Duration;
import java.util.List;

/** What holds one application's writes back for an instant, and proves afterwards that it did. */
public interface Quiescer {

    /** As users write it: {@code postgresql}. Never changes. */
    String kind();

    /** The application's address, without secrets: {@code 127.0.0.1:5432/postgres}. */
    String subject();

    /**
     * Looks whether a freeze would work, and whether the application's data lies on these volumes. Changes nothing and
     * leaves nothing open.
     *
     * @throws ConsistencyException FreezeFailed with the reason why a freeze would prove nothing
     */
    Check check(List<Volume> volumes) throws ConsistencyException;

    /**
     * Freezes, as far as that holds no writer: what does waits for {@link Frozen#hold}, for file systems are written out
     * in between. When it throws, nothing is frozen.
     *
     * @param limit longest time the application's writers will be held
     */
    Frozen freeze(RecoveryPointId recoveryPoint, Duration limit) throws ConsistencyException;

    /** @param warnings what could not be verified, one phrase each */
    record Check(List<String> warnings) {
        public Check {
            warnings = List.copyOf(warnings);
        }
    }
}

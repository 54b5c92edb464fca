package io.tidemark.consistency;

import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.spi.RecoveryPointId;
import java.time.Duration;
import java.util.List;

/**
 * What taking a recovery point will do, decided and printable before anything is frozen.
 *
 * @param steps in order, one line each, for people: {@code freeze postgresql 127.0.0.1:5432/postgres}
 * @param expected consistency when everything goes as planned
 * @param expectedFreeze time the writers are expected to be held
 * @param fileSystems mount points to freeze, in order
 * @param warnings why more was not possible
 */
public record RecoveryPointPlan(
        RecoveryPointId recoveryPoint,
        ConsistencyGroup group,
        List<String> steps,
        Consistency expected,
        Duration expectedFreeze,
        List<String> fileSystems,
        List<String> warnings) {
    public RecoveryPointPlan {
        steps = List.copyOf(steps);
        fileSystems = List.copyOf(fileSystems);
        warnings = List.copyOf(warnings);
    }
}

package io.tidemark.provider.gce;

import io.tidemark.provider.gce.AsyncReplication.State;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A disk as Google tells of it.
 *
 * @param status {@code CREATING}, {@code RESTORING}, {@code READY}, {@code FAILED}, {@code DELETING}, {@code
 *     UNAVAILABLE}
 * @param link that other requests name it by
 * @param users instances that have it attached, by their names
 * @param policies links of its resource policies
 * @param pairs that it is or was of
 * @param replicaZones links of a regional disk's zones
 */
record CloudDisk(
        GceLocation location,
        String name,
        long sizeBytes,
        String status,
        String type,
        String link,
        List<String> users,
        List<String> policies,
        List<String> replicaZones,
        List<Pair> pairs,
        Map<String, String> labels) {

    /**
     * A primary and a secondary. One that was stopped is told of further, beside those that came after it.
     *
     * @param other link of the other disk
     * @param isPrimary whether the other one is the primary
     * @param group link of the consistency group that its replication was started with; empty: none
     */
    record Pair(String other, boolean isPrimary, String group, State state) {}

    /** Of all its pairs together: STOPPED only where all are. */
    State replication() {
        return pairs.stream()
                .map(Pair::state)
                .filter(each -> each != State.STOPPED)
                .max(Comparator.naturalOrder())
                .orElse(pairs.isEmpty() ? State.NONE : State.STOPPED);
    }

    /** Of its pairs that are of a consistency group, as Google says or since the primary is in it now. */
    List<State> replicationIn(String group) {
        String path = GceAnswers.pathOf(group);
        boolean isIn = policies.stream().map(GceAnswers::pathOf).anyMatch(path::equals);
        return pairs.stream()
                .filter(each -> path.equals(GceAnswers.pathOf(each.group)) || (isIn && !each.isPrimary))
                .map(Pair::state)
                .toList();
    }

    /** With that disk as the primary; empty: it was not made as its secondary. */
    Optional<State> replicationFrom(CloudDisk primary) {
        String path = GceAnswers.pathOf(primary.link);
        return pairs.stream()
                .filter(each -> each.isPrimary && GceAnswers.pathOf(each.other).equals(path))
                .map(Pair::state)
                .findFirst();
    }
}

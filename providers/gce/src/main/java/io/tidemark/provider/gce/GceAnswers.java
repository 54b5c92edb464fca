package io.tidemark.provider.gce;

import com.google.cloud.compute.v1.Disk;
import com.google.cloud.compute.v1.Operation;
import com.google.cloud.compute.v1.Snapshot;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;

/** What Google tells, in our words. */
final class GceAnswers {
    private static final long GB = 1L << 30;

    private GceAnswers() {}

    static CloudSnapshot snapshot(Snapshot told) {
        return new CloudSnapshot(
                told.getName(),
                told.getDiskSizeGb() * GB,
                told.getStatus(),
                time(told.getCreationTimestamp()),
                told.getLabelFingerprint(),
                told.getLabelsMap());
    }

    static CloudDisk disk(GceLocation place, Disk told) {
        return new CloudDisk(
                place,
                told.getName(),
                told.getSizeGb() * GB,
                told.getStatus(),
                lastOf(told.getType()),
                told.getSelfLink(),
                told.getUsersList().stream().map(GceAnswers::lastOf).toList(),
                told.getResourcePoliciesList(),
                told.getReplicaZonesList(),
                pairs(told),
                told.getLabelsMap());
    }

    /** The states are told apart from the disks, by the same keys. */
    private static List<CloudDisk.Pair> pairs(Disk told) {
        var pairs = new ArrayList<CloudDisk.Pair>();
        var status = told.getResourceStatus();
        if (told.hasAsyncPrimaryDisk()) {
            var primary = told.getAsyncPrimaryDisk();
            String state = status.getAsyncPrimaryDisk().getState();
            pairs.add(new CloudDisk.Pair(
                    primary.getDisk(), true, primary.getConsistencyGroupPolicy(), AsyncReplication.State.of(state)));
        }
        told.getAsyncSecondaryDisksMap().forEach((key, each) -> {
            var secondary = each.getAsyncReplicationDisk();
            var state = status.getAsyncSecondaryDisksMap().get(key);
            pairs.add(new CloudDisk.Pair(
                    secondary.getDisk(),
                    false,
                    secondary.getConsistencyGroupPolicy(),
                    AsyncReplication.State.of(state == null ? "" : state.getState())));
        });
        return pairs;
    }

    static CloudOperation operation(Operation told) {
        boolean failed = told.hasError() && told.getError().getErrorsCount() > 0;
        return new CloudOperation(
                told.getName(),
                told.getStatus() == Operation.Status.DONE,
                failed ? told.getError().getErrors(0).getCode() : "",
                failed ? told.getError().getErrors(0).getMessage() : "",
                time(told.getEndTime()));
    }

    static String lastOf(String link) {
        return link.substring(link.lastIndexOf('/') + 1);
    }

    /** From the project on: links are told with and without what comes before it. */
    static String pathOf(String link) {
        return link.substring(Math.max(0, link.indexOf("projects/")));
    }

    static Instant time(String text) {
        try {
            return text.isEmpty() ? Instant.EPOCH : OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeException e) {
            return Instant.EPOCH;
        }
    }
}

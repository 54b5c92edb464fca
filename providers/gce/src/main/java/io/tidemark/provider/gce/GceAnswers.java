package io.tidemark.provider.gce;

import com.google.cloud.compute.v1.Disk;
import com.google.cloud.compute.v1.Operation;
import com.google.cloud.compute.v1.Snapshot;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Comparator;
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
                replication(told),
                partners(told),
                told.getLabelsMap());
    }

    /** Of a primary or a secondary; of a disk that is neither, NONE. */
    static AsyncReplication.State replication(Disk told) {
        var status = told.getResourceStatus();
        var states = new ArrayList<String>();
        if (status.hasAsyncPrimaryDisk()) {
            states.add(status.getAsyncPrimaryDisk().getState());
        }
        status.getAsyncSecondaryDisksMap().values().forEach(each -> states.add(each.getState()));
        return states.stream()
                .map(AsyncReplication.State::of)
                .max(Comparator.naturalOrder())
                .orElse(AsyncReplication.State.NONE);
    }

    /** Links of the other disks of its pair. */
    private static List<String> partners(Disk told) {
        var links = new ArrayList<String>();
        if (told.hasAsyncPrimaryDisk()) {
            links.add(told.getAsyncPrimaryDisk().getDisk());
        }
        told.getAsyncSecondaryDisksMap()
                .values()
                .forEach(each -> links.add(each.getAsyncReplicationDisk().getDisk()));
        return links;
    }

    static CloudOperation operation(Operation told) {
        boolean failed = told.hasError() && told.getError().getErrorsCount() > 0;
        return new CloudOperation(
                told.getName(),
                told.getStatus() == Operation.Status.DONE,
                failed ? told.getError().getErrors(0).getCode() : "",
                failed ? told.getError().getErrors(0).getMessage() : "");
    }

    static String lastOf(String link) {
        return link.substring(link.lastIndexOf('/') + 1);
    }

    static Instant time(String text) {
        try {
            return text.isEmpty() ? Instant.EPOCH : OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeException e) {
            return Instant.EPOCH;
        }
    }
}

package io.tidemark.provider.gce;

import java.util.List;
import java.util.Map;

/**
 * A disk as Google tells of it.
 *
 * @param status {@code CREATING}, {@code RESTORING}, {@code READY}, {@code FAILED}, {@code DELETING}, {@code
 *     UNAVAILABLE}
 * @param link that other requests name it by
 * @param users instances that have it attached, by their names
 * @param policies links of its resource policies
 * @param partners links of the other disks of its pair, where it is replicated
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
        AsyncReplication.State replication,
        List<String> partners,
        Map<String, String> labels) {}

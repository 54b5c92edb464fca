package io.tidemark.provider.fakecloud.gce;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** A primary and one of its secondaries. Guarded by the lock of the account. */
final class ReplicationPair {
    final String primary;
    final String secondary;
    State state = State.CREATED;
    /** Path of the consistency group that the primary was in when replication began; empty: none. */
    String group = "";

    enum State {
        CREATED,
        ACTIVE,
        STOPPED
    }

    /** By the disks' paths. */
    ReplicationPair(String primary, String secondary) {
        this.primary = primary;
        this.secondary = secondary;
    }

    void tell(ObjectNode json, String other) {
        json.put("disk", GceResource.link(other));
        if (!group.isEmpty()) {
            json.put("consistencyGroupPolicy", GceResource.link(group));
        }
    }
}

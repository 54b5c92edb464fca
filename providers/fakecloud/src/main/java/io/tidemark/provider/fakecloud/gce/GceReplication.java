package io.tidemark.provider.fakecloud.gce;

import io.tidemark.provider.fakecloud.gce.FakeDisk.ReplicationState;
import java.util.List;

/**
 * Asynchronous replication of pairs of disks: one secondary a primary; what was stopped cannot go on ("Manage
 * Asynchronous Replication"). Nothing is copied but the state. Guarded by the lock of the account.
 */
final class GceReplication {
    private final GceAccount account;

    GceReplication(GceAccount account) {
        this.account = account;
    }

    /** The new disk becomes the secondary of the other. */
    static void pair(FakeDisk primary, FakeDisk secondary) throws GceException {
        if (!primary.secondary.isEmpty() && primary.replication != ReplicationState.STOPPED) {
            throw GceException.inUse(primary.path(), primary.secondary);
        }
        if (region(primary).equals(region(secondary))) {
            throw GceException.invalid("a secondary is in another region than its primary, not in " + region(primary));
        }
        primary.secondary = secondary.path();
        secondary.primary = primary.path();
        state(primary, secondary, ReplicationState.CREATED);
    }

    private static String region(FakeDisk disk) {
        String place = disk.locationName();
        return disk.location.startsWith("zones/") ? place.substring(0, place.lastIndexOf('-')) : place;
    }

    void start(FakeDisk primary, String secondaryLink) throws GceException {
        FakeDisk secondary = account.disk(secondaryLink);
        if (!secondary.primary.equals(primary.path()) || !primary.secondary.equals(secondary.path())) {
            throw GceException.invalid("%s is no secondary of %s".formatted(secondary.path(), primary.path()));
        }
        switch (primary.replication) {
            case STOPPED ->
                throw GceException.invalid(
                        "replication to %s was stopped; make a new secondary disk".formatted(secondary.path()));
            case ACTIVE -> throw GceException.invalid(primary.path() + " is replicated already");
            default -> state(primary, secondary, ReplicationState.ACTIVE);
        }
    }

    /** From either side. */
    void stop(FakeDisk either) throws GceException {
        String other = either.primary.isEmpty() ? either.secondary : either.primary;
        if (other.isEmpty() || either.replication != ReplicationState.ACTIVE) {
            throw GceException.invalid(either.path() + " is not replicated");
        }
        state(either, account.disk(other), ReplicationState.STOPPED);
    }

    void stopGroup(String location, String policy) throws GceException {
        for (var each : List.copyOf(account.all("disks").values())) {
            if (each instanceof FakeDisk disk
                    && disk.location.equals(location)
                    && disk.policies.contains(account.pathOf(policy))
                    && disk.replication == ReplicationState.ACTIVE) {
                stop(disk);
            }
        }
    }

    private static void state(FakeDisk one, FakeDisk other, ReplicationState state) {
        one.replication = state;
        other.replication = state;
    }
}

package io.tidemark.provider.fakecloud.gce;

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
        for (var each : primary.pairs) {
            if (each.primary.equals(primary.path()) && each.state != ReplicationPair.State.STOPPED) {
                throw GceException.inUse(primary.path(), each.secondary);
            }
        }
        if (region(primary).equals(region(secondary))) {
            throw GceException.invalid("a secondary is in another region than its primary, not in " + region(primary));
        }
        var pair = new ReplicationPair(primary.path(), secondary.path());
        primary.pairs.add(pair);
        secondary.pairs.add(pair);
    }

    private static String region(FakeDisk disk) {
        String place = disk.locationName();
        return disk.location.startsWith("zones/") ? place.substring(0, place.lastIndexOf('-')) : place;
    }

    void start(FakeDisk primary, String secondaryLink) throws GceException {
        FakeDisk secondary = account.disk(secondaryLink);
        var pair = primary.pairs.stream()
                .filter(each -> each.primary.equals(primary.path()) && each.secondary.equals(secondary.path()))
                .findFirst()
                .orElse(null);
        if (pair == null) {
            throw GceException.invalid("%s is no secondary of %s".formatted(secondary.path(), primary.path()));
        }
        switch (pair.state) {
            case STOPPED ->
                throw GceException.invalid(
                        "replication to %s was stopped; make a new secondary disk".formatted(secondary.path()));
            case ACTIVE -> throw GceException.invalid(primary.path() + " is replicated already");
            case CREATED -> {
                pair.state = ReplicationPair.State.ACTIVE;
                pair.group = primary.policies.isEmpty() ? "" : primary.policies.first();
            }
        }
    }

    /** From either side. */
    void stop(FakeDisk either) throws GceException {
        boolean any = false;
        for (var each : either.pairs) {
            if (each.state == ReplicationPair.State.ACTIVE) {
                each.state = ReplicationPair.State.STOPPED;
                any = true;
            }
        }
        if (!any) {
            throw GceException.invalid(either.path() + " is not replicated");
        }
    }

    /** From where the primaries are, or the secondaries. */
    void stopGroup(String location, String policy) {
        String group = account.pathOf(policy);
        for (var each : List.copyOf(account.all("disks").values())) {
            if (each instanceof FakeDisk disk && disk.location.equals(location)) {
                disk.pairs.stream()
                        .filter(pair -> pair.group.equals(group) && pair.state == ReplicationPair.State.ACTIVE)
                        .forEach(pair -> pair.state = ReplicationPair.State.STOPPED);
            }
        }
    }
}

package io.tidemark.provider.fakecloud.gce;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.provider.fakecloud.SparseBlocks;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** A disk of the fake account, zonal or regional. */
public final class FakeDisk extends GceResource {
    private final GceAccount account;
    private final long sizeGb;
    final SparseBlocks content;
    Instant readyAt;
    String sourceSnapshot = "";
    String sourceInstantSnapshot = "";
    /** Of a secondary: its primary's path. */
    String primary = "";
    /** Of a primary: its secondary's path. */
    String secondary = "";

    ReplicationState replication = ReplicationState.NONE;
    final TreeSet<String> policies = new TreeSet<>();
    final List<String> users = new ArrayList<>();
    List<String> replicaZones = List.of();
    /** When snapshots of it were asked for, for the rates. */
    final Deque<Instant> snapshotTimes = new ArrayDeque<>();

    @Nullable
    Instant lastInstantAt;

    final Map<String, FakeGceSnapshot> unfixed = new LinkedHashMap<>();

    /** How a pair's replication is; of both disks alike. */
    enum ReplicationState {
        NONE,
        CREATED,
        ACTIVE,
        STOPPED
    }

    FakeDisk(GceAccount account, Birth birth, long sizeGb, SparseBlocks content, Instant readyAt) {
        super(birth);
        this.account = account;
        this.sizeGb = sizeGb;
        this.content = content;
        this.readyAt = readyAt;
    }

    public String name() {
        return name;
    }

    /** {@code europe-west3-a}, or of a regional one {@code europe-west3}. */
    public String locationName() {
        return location.substring(location.indexOf('/') + 1);
    }

    public Map<String, String> labels() {
        return labels;
    }

    public long sizeGb() {
        return sizeGb;
    }

    /** Writes as an instance would that has the disk; snapshots whose content is fixed by now do not see it. */
    public void write(long offsetBytes, byte[] bytes) {
        account.locked(() -> {
            fix(account.now());
            content.write(offsetBytes, bytes);
            return true;
        });
    }

    public byte[] read(long offsetBytes, int lengthBytes) {
        return account.locked(() -> content.read(offsetBytes, lengthBytes));
    }

    /** Freezes the content of snapshots whose moment has come. */
    void fix(Instant now) {
        unfixed.values().removeIf(each -> {
            if (each.fixedAt.isAfter(now)) {
                return false;
            }
            each.content = content.freeze();
            return true;
        });
    }

    @Override
    String status(Instant now) {
        return now.isBefore(readyAt) ? "CREATING" : "READY";
    }

    @Override
    ObjectNode json(Instant now) {
        var json = super.json(now);
        json.put("sizeGb", Long.toString(sizeGb));
        json.put("type", link("projects/" + project + "/" + location + "/diskTypes/pd-balanced"));
        json.put("physicalBlockSizeBytes", "4096");
        putLabels(json);
        if (!sourceSnapshot.isEmpty()) {
            json.put("sourceSnapshot", link(sourceSnapshot));
        }
        if (!sourceInstantSnapshot.isEmpty()) {
            json.put("sourceInstantSnapshot", link(sourceInstantSnapshot));
        }
        if (!policies.isEmpty()) {
            policies.forEach(each -> json.withArray("/resourcePolicies").add(link(each)));
        }
        users.forEach(each -> json.withArray("/users").add(link(each)));
        replicaZones.forEach(each -> json.withArray("/replicaZones").add(each));
        replication(json);
        return json;
    }

    private void replication(ObjectNode json) {
        if (!primary.isEmpty()) {
            json.putObject("asyncPrimaryDisk").put("disk", link(primary));
            json.withObject("/resourceStatus/asyncPrimaryDisk").put("state", replication.name());
        }
        if (!secondary.isEmpty()) {
            json.putObject("asyncSecondaryDisks")
                    .putObject(secondary)
                    .putObject("asyncReplicationDisk")
                    .put("disk", link(secondary));
            json.putObject("resourceStatus")
                    .putObject("asyncSecondaryDisks")
                    .putObject(secondary)
                    .put("state", replication.name());
        }
    }
}

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
    /** That it is or was of, as either; each is the other disk's too. */
    final List<ReplicationPair> pairs = new ArrayList<>();

    final TreeSet<String> policies = new TreeSet<>();
    final List<String> users = new ArrayList<>();
    List<String> replicaZones = List.of();
    boolean failed;
    /** When snapshots of it were asked for, for the rates. */
    final Deque<Instant> snapshotTimes = new ArrayDeque<>();

    @Nullable
    Instant lastInstantAt;

    final Map<String, FakeGceSnapshot> unfixed = new LinkedHashMap<>();

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
        return failed ? "FAILED" : now.isBefore(readyAt) ? "CREATING" : "READY";
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

    /** A secondary that is replicated to can be neither snapshotted nor deleted ("Manage Asynchronous Replication"). */
    void refuseWhileReplicatedTo() throws GceException {
        for (var each : pairs) {
            if (each.secondary.equals(path()) && each.state == ReplicationPair.State.ACTIVE) {
                throw GceException.inUse(path(), each.primary);
            }
        }
    }

    private void replication(ObjectNode json) {
        for (var each : pairs) {
            var status = json.withObjectProperty("resourceStatus");
            if (each.secondary.equals(path())) {
                each.tell(json.withObjectProperty("asyncPrimaryDisk"), each.primary);
                status.withObjectProperty("asyncPrimaryDisk").put("state", each.state.name());
            } else {
                var told = json.withObjectProperty("asyncSecondaryDisks").putObject(each.secondary);
                each.tell(told.putObject("asyncReplicationDisk"), each.secondary);
                status.withObjectProperty("asyncSecondaryDisks")
                        .putObject(each.secondary)
                        .put("state", each.state.name());
            }
        }
    }
}

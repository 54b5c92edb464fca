package io.tidemark.provider.fakecloud.gce;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.provider.fakecloud.SparseBlocks;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;

/** A snapshot, or an instant snapshot, of the fake account. */
public final class FakeGceSnapshot extends GceResource {
    private static final String INSTANT = "instantSnapshots";

    final String sourceDisk;
    final long sourceDiskId;
    private final long sizeGb;
    final Instant fixedAt;
    final Instant readyAt;
    NavigableMap<Integer, byte[]> content = Collections.emptyNavigableMap();
    boolean failed;
    boolean guestFlush;
    String sourceInstantSnapshot = "";
    String group = "";
    String type = "STANDARD";
    List<String> storageLocations = List.of();

    /** When its content is fixed and when it is whole. */
    record Times(Instant fixedAt, Instant readyAt) {}

    FakeGceSnapshot(Birth birth, String sourceDisk, long sourceDiskId, long sizeGb, Times times) {
        super(birth);
        this.sourceDisk = sourceDisk;
        this.sourceDiskId = sourceDiskId;
        this.sizeGb = sizeGb;
        this.fixedAt = times.fixedAt();
        this.readyAt = times.readyAt();
    }

    boolean isInstant() {
        return collection.equals(INSTANT);
    }

    public String name() {
        return name;
    }

    public Map<String, String> labels() {
        return labels;
    }

    public String description() {
        return description;
    }

    /** From {@code projects} on. */
    public String sourceDisk() {
        return sourceDisk;
    }

    public boolean guestFlush() {
        return guestFlush;
    }

    public String type() {
        return type;
    }

    /** Bytes as they were when the content was fixed. */
    public byte[] read(long offsetBytes, int lengthBytes) {
        return SparseBlocks.read(content, offsetBytes, lengthBytes);
    }

    long sizeGb() {
        return sizeGb;
    }

    @Override
    String status(Instant now) {
        if (now.isBefore(fixedAt)) {
            return "CREATING";
        }
        if (failed) {
            return "FAILED";
        }
        return now.isBefore(readyAt) ? "UPLOADING" : "READY";
    }

    @Override
    ObjectNode json(Instant now) {
        var json = super.json(now);
        putLabels(json);
        json.put("sourceDisk", link(sourceDisk));
        json.put("sourceDiskId", Long.toString(sourceDiskId));
        json.put("diskSizeGb", Long.toString(sizeGb));
        if (isInstant()) {
            if (!group.isEmpty()) {
                json.put("sourceInstantSnapshotGroup", link(group));
            }
            return json;
        }
        json.put("snapshotType", type);
        if (guestFlush) {
            json.put("guestFlush", true);
        }
        if (!sourceInstantSnapshot.isEmpty()) {
            json.put("sourceInstantSnapshot", link(sourceInstantSnapshot));
        }
        if (status(now).equals("READY")) {
            json.put("storageBytes", Long.toString((long) content.size() * SparseBlocks.BLOCK_BYTES));
            json.put("storageBytesStatus", "UP_TO_DATE");
        }
        if (!storageLocations.isEmpty()) {
            storageLocations.forEach(each -> json.withArray("/storageLocations").add(each));
        }
        return json;
    }
}

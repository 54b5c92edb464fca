package io.tidemark.provider.fakecloud.gce;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;

/** What has no state of its own but a link: a consistency group's policy, a group of instant snapshots. */
final class GcePlain extends GceResource {
    private final String linkField;
    final String linked;
    final Instant readyAt;

    /**
     * @param linkField the field that names what it belongs to; empty: a consistency group's policy
     * @param linked path of that
     */
    GcePlain(Birth birth, String linkField, String linked, Instant readyAt) {
        super(birth);
        this.linkField = linkField;
        this.linked = linked;
        this.readyAt = readyAt;
    }

    @Override
    String status(Instant now) {
        return now.isBefore(readyAt) ? "CREATING" : "READY";
    }

    @Override
    ObjectNode json(Instant now) {
        var json = super.json(now);
        if (linkField.isEmpty()) {
            json.putObject("diskConsistencyGroupPolicy");
        } else {
            json.put(linkField, link(linked));
        }
        return json;
    }
}

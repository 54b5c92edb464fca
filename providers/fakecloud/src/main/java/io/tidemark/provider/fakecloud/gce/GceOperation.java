package io.tidemark.provider.fakecloud.gce;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;

/** Work under way, which ends well or with an error in it. */
final class GceOperation extends GceResource {
    private static final int PERCENT = 100;

    private final String type;
    private final String target;
    private final long targetId;
    private final Instant doneAt;
    private final String errorCode;

    /**
     * @param target path; of a snapshot's creation the disk (observed by others: the field is named for the disk's
     *     change)
     * @param errorCode empty: it ends well
     */
    record Work(String type, String target, long targetId, Instant doneAt, String errorCode) {}

    GceOperation(Birth birth, Work work) {
        super(birth);
        type = work.type();
        target = work.target();
        targetId = work.targetId();
        doneAt = work.doneAt();
        errorCode = work.errorCode();
    }

    @Override
    String status(Instant now) {
        return now.isBefore(doneAt) ? "RUNNING" : "DONE";
    }

    String target() {
        return target;
    }

    String type() {
        return type;
    }

    @Override
    ObjectNode json(Instant now) {
        boolean done = !now.isBefore(doneAt);
        var json = JsonNodeFactory.instance.objectNode();
        json.put("kind", "compute#operation");
        json.put("id", Long.toString(id));
        json.put("name", name);
        json.put("operationType", type);
        json.put("targetLink", link(target));
        json.put("targetId", Long.toString(targetId));
        json.put("status", status(now));
        json.put("progress", done ? PERCENT : 0);
        json.put("insertTime", createdAt.toString());
        json.put("startTime", createdAt.toString());
        json.put("selfLink", link());
        if (location.startsWith("zones/")) {
            json.put("zone", link("projects/" + project + "/" + location));
        } else if (location.startsWith("regions/")) {
            json.put("region", link("projects/" + project + "/" + location));
        }
        if (done) {
            json.put("endTime", doneAt.toString());
            if (!errorCode.isEmpty()) {
                json.put("httpErrorStatusCode", 400);
                json.put("httpErrorMessage", "BAD REQUEST");
                json.putObject("error")
                        .putArray("errors")
                        .addObject()
                        .put("code", errorCode)
                        .put("message", "Operation on '%s' failed".formatted(target));
            }
        }
        return json;
    }
}

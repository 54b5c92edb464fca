package io.tidemark.provider.fakecloud.gce;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;

/** What disks, snapshots and the others have in common. Guarded by the lock of the account. */
abstract class GceResource {
    private static final String HOST = "https://www.googleapis.com/compute/v1/";

    final String project;
    /** {@code global}, {@code zones/europe-west3-a}, {@code regions/europe-west3}. */
    final String location;

    final String collection;
    final String name;
    final long id;
    final Instant createdAt;
    Map<String, String> labels = Map.of();
    String description = "";
    /** How many more lists and looks do not see it. */
    int hidden;

    private int labelGeneration;

    /** Where a resource is, and since when. */
    record Birth(String project, String location, String collection, String name, long id, Instant at) {}

    GceResource(Birth birth) {
        project = birth.project();
        location = birth.location();
        collection = birth.collection();
        name = birth.name();
        id = birth.id();
        createdAt = birth.at();
    }

    final String path() {
        return "projects/%s/%s/%s/%s".formatted(project, location, collection, name);
    }

    final String link() {
        return HOST + path();
    }

    static String link(String path) {
        return HOST + path;
    }

    /** From {@code projects} on, of a link in any of its forms. */
    static String pathOf(String link) {
        int at = link.indexOf("projects/");
        return at < 0 ? link : link.substring(at);
    }

    final String labelFingerprint() {
        byte[] bytes = ByteBuffer.allocate(Long.BYTES)
                .putLong(id * 31 + labelGeneration)
                .array();
        return Base64.getEncoder().encodeToString(bytes);
    }

    final void setLabels(Map<String, String> others) {
        labels = others;
        labelGeneration++;
    }

    static Map<String, String> texts(JsonNode object) {
        var found = new TreeMap<String, String>();
        object.properties()
                .forEach(each -> found.put(each.getKey(), each.getValue().asText()));
        return Map.copyOf(found);
    }

    /** Its status now, in the words of its kind. */
    abstract String status(Instant now);

    /** As Google tells of it. */
    ObjectNode json(Instant now) {
        var json = JsonNodeFactory.instance.objectNode();
        json.put("kind", "compute#" + collection.replaceFirst("s$", "").replaceFirst("ie$", "y"));
        json.put("id", Long.toString(id));
        json.put("creationTimestamp", createdAt.toString());
        json.put("name", name);
        json.put("selfLink", link());
        json.put("status", status(now));
        if (!description.isEmpty()) {
            json.put("description", description);
        }
        if (location.startsWith("zones/")) {
            json.put("zone", link("projects/" + project + "/" + location));
        } else if (location.startsWith("regions/")) {
            json.put("region", link("projects/" + project + "/" + location));
        }
        return json;
    }

    final void putLabels(ObjectNode json) {
        json.put("labelFingerprint", labelFingerprint());
        if (!labels.isEmpty()) {
            labels.forEach(json.putObject("labels")::put);
        }
    }
}

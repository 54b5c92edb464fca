package io.tidemark.provider.fakecloud.gce;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The permissions that a call needs. Source: "Compute Engine IAM roles and permissions", and each method's reference.
 */
public final class GcePermissions {
    private GcePermissions() {}

    static void require(GceCall call, Set<String> denied) throws GceException {
        for (String each : of(call.operation())) {
            if (denied.contains(each)) {
                throw new GceException(
                        403, "forbidden", "Required '%s' permission for '%s'".formatted(each, call.path()));
            }
        }
    }

    /** Of an operation of the discovery document, {@code snapshots.insert}; what its body asks for beside included. */
    public static List<String> of(String operation) {
        String[] words = operation.split("\\.", -1);
        String resource = words[0].startsWith("region")
                ? Character.toLowerCase(words[0].charAt("region".length())) + words[0].substring("region".length() + 1)
                : words[0];
        if (resource.endsWith("perations")) {
            return List.of("compute." + words[0] + ".get");
        }
        String verb = switch (words[1]) {
            case "insert" -> "create";
            case "aggregatedList" -> "list";
            default -> words[1];
        };
        var needed = new ArrayList<String>();
        if (!verb.equals("testIamPermissions")) {
            needed.add("compute.%s.%s".formatted(resource, verb));
        }
        switch (operation) {
            case "snapshots.insert" ->
                needed.addAll(List.of("compute.snapshots.setLabels", "compute.disks.createSnapshot"));
            case "disks.insert", "regionDisks.insert" ->
                needed.addAll(List.of("compute.disks.setLabels", "compute.snapshots.useReadOnly"));
            case "instances.attachDisk" -> needed.add("compute.disks.useReadOnly");
            default -> {
                return needed;
            }
        }
        return needed;
    }
}

package io.tidemark.provider.fakecloud.azure;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What the account may: all, less what a test took away; calls that lack their right are refused. The document of
 * Microsoft.Authorization is not among the published models at hand, so the shape of its one call is checked by what
 * "Permissions - List For Resource Group" (REST reference, 2022-04-01) says.
 */
final class ArmRights {
    private static final Map<String, String> THINGS = Map.of(
            "Snapshots", "Microsoft.Compute/snapshots",
            "Disks", "Microsoft.Compute/disks",
            "VirtualMachines", "Microsoft.Compute/virtualMachines",
            "RestorePointCollections", "Microsoft.Compute/restorePointCollections",
            "RestorePoints", "Microsoft.Compute/restorePointCollections/restorePoints",
            "DiskRestorePoint", "Microsoft.Compute/restorePointCollections/restorePoints/diskRestorePoints",
            "Operations", "Microsoft.Compute/locations/operations",
            "Permissions", "Microsoft.Authorization/permissions");
    private static final List<String> FIELDS = List.of("actions", "notActions", "dataActions", "notDataActions");

    private final Set<String> taken = ConcurrentHashMap.newKeySet();

    void takeAway(String right) {
        taken.add(right);
    }

    boolean lacks(String operation) {
        return !taken.isEmpty() && taken.contains(of(operation));
    }

    /** The right that an operation needs, by "Azure permissions for Compute". */
    static String of(String operation) {
        int mark = operation.indexOf('_');
        var right = switch (operation.substring(mark + 1)) {
            case "CreateOrUpdate", "Create", "Update" -> "write";
            case "Delete" -> "delete";
            case "GrantAccess" -> "beginGetAccess/action";
            case "RevokeAccess" -> "endGetAccess/action";
            default -> "read";
        };
        return THINGS.getOrDefault(operation.substring(0, mark), "?") + "/" + right;
    }

    /** Two roles: one for all, and one that gives nothing that was taken away. */
    HttpAnswer answer() {
        var body = ArmAnswers.object();
        var value = body.putArray("value");
        var all = value.addObject();
        all.putArray("actions").add("*");
        var not = all.putArray("notActions");
        taken.stream().sorted().forEach(not::add);
        all.putArray("dataActions");
        all.putArray("notDataActions");
        var reader = value.addObject();
        reader.putArray("actions").add("Microsoft.Storage/*/read");
        reader.putArray("notActions");
        return ArmAnswers.json(200, body);
    }

    static List<String> request(HttpRequest request) {
        return request.queryFields().equals(Map.of("api-version", "2022-04-01"))
                ? List.of()
                : List.of("query is not api-version=2022-04-01: " + request.query);
    }

    static List<String> answer(int status, @Nullable JsonNode body) {
        var findings = new ArrayList<String>();
        if (status != 200 || body == null) {
            return findings;
        }
        if (!body.path("value").isArray()) {
            findings.add("value is no list");
        }
        for (var each : body.path("value")) {
            each.properties().forEach(field -> {
                if (!FIELDS.contains(field.getKey()) || !field.getValue().isArray()) {
                    findings.add("no field of a permission: " + field);
                }
            });
        }
        return findings;
    }
}

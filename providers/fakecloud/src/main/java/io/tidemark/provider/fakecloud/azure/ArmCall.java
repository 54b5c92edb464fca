package io.tidemark.provider.fakecloud.azure;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.tidemark.provider.fakecloud.CallKind;
import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.HttpRequest;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One call of Resource Manager: which operation, by the name the published document gives it, and on what. */
record ArmCall(
        String operation,
        CallKind kind,
        Map<String, String> names,
        HttpRequest request,
        @Nullable JsonNode sent,
        Fault fault,
        FaultScript script) {

    private static final String GROUP =
            "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute";
    private static final String ALL = "/subscriptions/{subscriptionId}/providers/Microsoft.Compute";
    private static final String POINTS = "/restorePointCollections/{restorePointCollectionName}/restorePoints";
    private static final String POINT_DISKS =
            "/restorePointCollections/{restorePointCollectionName}/restorePoints/{vmRestorePointName}/diskRestorePoints";

    static final String OPERATION_STATUS = "Operations_Status";
    static final String PERMISSIONS = "Permissions_ListForResourceGroup";

    private record Route(String method, List<String> words, String operation, CallKind kind) {}

    private static final List<Route> ROUTES = List.of(
            route("PUT", GROUP + "/snapshots/{snapshotName}", "Snapshots_CreateOrUpdate", CallKind.CREATE),
            route("GET", GROUP + "/snapshots/{snapshotName}", "Snapshots_Get", CallKind.READ),
            route("PATCH", GROUP + "/snapshots/{snapshotName}", "Snapshots_Update", CallKind.CHANGE),
            route("DELETE", GROUP + "/snapshots/{snapshotName}", "Snapshots_Delete", CallKind.CHANGE),
            route("GET", GROUP + "/snapshots", "Snapshots_ListByResourceGroup", CallKind.LIST),
            route("GET", ALL + "/snapshots", "Snapshots_List", CallKind.LIST),
            route("POST", GROUP + "/snapshots/{snapshotName}/beginGetAccess", "Snapshots_GrantAccess", CallKind.CHANGE),
            route("POST", GROUP + "/snapshots/{snapshotName}/endGetAccess", "Snapshots_RevokeAccess", CallKind.CHANGE),
            route("PUT", GROUP + "/disks/{diskName}", "Disks_CreateOrUpdate", CallKind.CREATE),
            route("GET", GROUP + "/disks/{diskName}", "Disks_Get", CallKind.READ),
            route("PATCH", GROUP + "/disks/{diskName}", "Disks_Update", CallKind.CHANGE),
            route("DELETE", GROUP + "/disks/{diskName}", "Disks_Delete", CallKind.CHANGE),
            route("GET", GROUP + "/disks", "Disks_ListByResourceGroup", CallKind.LIST),
            route("GET", ALL + "/disks", "Disks_List", CallKind.LIST),
            route("POST", GROUP + "/disks/{diskName}/beginGetAccess", "Disks_GrantAccess", CallKind.CHANGE),
            route("POST", GROUP + "/disks/{diskName}/endGetAccess", "Disks_RevokeAccess", CallKind.CHANGE),
            route("GET", GROUP + "/virtualMachines/{vmName}", "VirtualMachines_Get", CallKind.READ),
            route(
                    "PUT",
                    GROUP + "/restorePointCollections/{restorePointCollectionName}",
                    "RestorePointCollections_CreateOrUpdate",
                    CallKind.CREATE),
            route(
                    "GET",
                    GROUP + "/restorePointCollections/{restorePointCollectionName}",
                    "RestorePointCollections_Get",
                    CallKind.READ),
            route(
                    "PATCH",
                    GROUP + "/restorePointCollections/{restorePointCollectionName}",
                    "RestorePointCollections_Update",
                    CallKind.CHANGE),
            route(
                    "DELETE",
                    GROUP + "/restorePointCollections/{restorePointCollectionName}",
                    "RestorePointCollections_Delete",
                    CallKind.CHANGE),
            route("GET", GROUP + "/restorePointCollections", "RestorePointCollections_List", CallKind.LIST),
            route("GET", ALL + "/restorePointCollections", "RestorePointCollections_ListAll", CallKind.LIST),
            route("PUT", GROUP + POINTS + "/{restorePointName}", "RestorePoints_Create", CallKind.CREATE),
            route("GET", GROUP + POINTS + "/{restorePointName}", "RestorePoints_Get", CallKind.READ),
            route("DELETE", GROUP + POINTS + "/{restorePointName}", "RestorePoints_Delete", CallKind.CHANGE),
            route("GET", GROUP + POINT_DISKS, "DiskRestorePoint_ListByRestorePoint", CallKind.LIST),
            route("GET", GROUP + POINT_DISKS + "/{diskRestorePointName}", "DiskRestorePoint_Get", CallKind.READ),
            route(
                    "POST",
                    GROUP + POINT_DISKS + "/{diskRestorePointName}/beginGetAccess",
                    "DiskRestorePoint_GrantAccess",
                    CallKind.CHANGE),
            route(
                    "POST",
                    GROUP + POINT_DISKS + "/{diskRestorePointName}/endGetAccess",
                    "DiskRestorePoint_RevokeAccess",
                    CallKind.CHANGE),
            route("GET", ALL + "/locations/{location}/operations/{operationId}", OPERATION_STATUS, CallKind.READ),
            route(
                    "GET",
                    "/subscriptions/{subscriptionId}/resourcegroups/{resourceGroupName}"
                            + "/providers/Microsoft.Authorization/permissions",
                    PERMISSIONS,
                    CallKind.READ));

    private static Route route(String method, String path, String operation, CallKind kind) {
        return new Route(method, List.of(path.split("/", -1)), operation, kind);
    }

    /** None where the address is no operation's. */
    static @Nullable ArmCall of(HttpRequest request, @Nullable JsonNode sent) {
        var words = List.of(request.path.split("/", -1));
        for (var route : ROUTES) {
            if (route.method().equals(request.method) && route.words().size() == words.size()) {
                var names = match(route.words(), words);
                if (names != null) {
                    return new ArmCall(
                            route.operation(), route.kind(), names, request, sent, Fault.NONE, FaultScript.none());
                }
            }
        }
        return null;
    }

    private static @Nullable Map<String, String> match(List<String> wanted, List<String> words) {
        Map<String, String> names = new HashMap<>();
        for (int index = 0; index < words.size(); index++) {
            if (wanted.get(index).startsWith("{")) {
                names.put(wanted.get(index).substring(1, wanted.get(index).length() - 1), words.get(index));
            } else if (!wanted.get(index).equalsIgnoreCase(words.get(index))) {
                return null;
            }
        }
        return names;
    }

    ArmCall befallen(Fault by, FaultScript of) {
        return new ArmCall(operation, kind, names, request, sent, by, of);
    }

    String name(String of) {
        return names.getOrDefault(of, "");
    }

    String group() {
        return name("resourceGroupName");
    }

    JsonNode body() {
        return sent == null ? MissingNode.getInstance() : sent;
    }
}

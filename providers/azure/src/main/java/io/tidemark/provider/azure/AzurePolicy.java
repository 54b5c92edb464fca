package io.tidemark.provider.azure;

import java.util.List;
import java.util.stream.Collectors;

/**
 * The least rights, as the definition of a custom role. Azure's roles cannot be bound to a tag of what is changed, so
 * that only the scope narrows them: assign the role to the resource groups that hold the disks. Source of names: "Azure
 * permissions for Compute", and for "Management and governance".
 */
final class AzurePolicy {
    static final List<String> RIGHTS = List.of(
            "Microsoft.Authorization/permissions/read",
            "Microsoft.Compute/disks/read",
            "Microsoft.Compute/disks/write",
            "Microsoft.Compute/disks/delete",
            "Microsoft.Compute/disks/beginGetAccess/action",
            "Microsoft.Compute/disks/endGetAccess/action",
            "Microsoft.Compute/snapshots/read",
            "Microsoft.Compute/snapshots/write",
            "Microsoft.Compute/snapshots/delete",
            "Microsoft.Compute/snapshots/beginGetAccess/action",
            "Microsoft.Compute/snapshots/endGetAccess/action",
            "Microsoft.Compute/virtualMachines/read",
            "Microsoft.Compute/restorePointCollections/read",
            "Microsoft.Compute/restorePointCollections/write",
            "Microsoft.Compute/restorePointCollections/delete",
            "Microsoft.Compute/restorePointCollections/restorePoints/read",
            "Microsoft.Compute/restorePointCollections/restorePoints/write",
            "Microsoft.Compute/restorePointCollections/restorePoints/diskRestorePoints/read",
            "Microsoft.Compute/restorePointCollections/restorePoints/diskRestorePoints/beginGetAccess/action",
            "Microsoft.Compute/restorePointCollections/restorePoints/diskRestorePoints/endGetAccess/action",
            "Microsoft.Compute/locations/operations/read");

    private static final String DOCUMENT = """
            {
              "Name": "Tidemark",
              "IsCustom": true,
              "Description": "Takes, reads and deletes snapshots of disks, and makes disks of them",
              "Actions": [
            {rights}
              ],
              "NotActions": [],
              "AssignableScopes": ["/subscriptions/{subscription}"]
            }""";

    private AzurePolicy() {}

    static String of(String subscription) {
        var rights = RIGHTS.stream().map("    \"%s\""::formatted).collect(Collectors.joining(",\n"));
        return DOCUMENT.replace("{rights}", rights).replace("{subscription}", subscription);
    }
}

package io.tidemark.provider.azure;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A managed disk as Azure tells of it.
 *
 * @param id whole, in lower case
 * @param state Azure's provisioningState
 * @param use Azure's diskState
 * @param machine the id of the virtual machine that has it
 */
record CloudDisk(
        String id,
        String location,
        long sizeBytes,
        String sku,
        String state,
        String use,
        Optional<String> machine,
        List<String> zones,
        Map<String, String> tags) {
    CloudDisk {
        zones = List.copyOf(zones);
        tags = Map.copyOf(tags);
    }

    String group() {
        return AzureNames.groupOf(id);
    }

    String name() {
        return AzureNames.nameOf(id);
    }

    /** Whether it is written from outside, and cannot be anything else yet (Compute's REST reference, DiskState). */
    boolean isUploading() {
        return use.equals("ReadyToUpload") || use.equals("ActiveUpload");
    }

    /** Whether that installation has made it. */
    boolean isOf(String installation) {
        return installation.equals(tags.get(AzureNames.INSTALLATION));
    }

    /**
     * Ultra and Premium SSD v2: no crash-consistent restore points, and whether differences are told is not published.
     */
    boolean isCopiedLater() {
        return sku.equals("UltraSSD_LRS") || sku.equals("PremiumV2_LRS");
    }
}

package io.tidemark.provider.azure;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * A snapshot, or one disk's part of a restore point, as Azure tells of it.
 *
 * @param id whole, in lower case
 * @param state Azure's provisioningState
 * @param progress of the copy that follows, 0 to 1; 1 where nothing is copied
 * @param copyError why the copy has ended
 * @param isCopy whether it was copied of a snapshot (CopyStart)
 * @param source the disk's or snapshot's id, in lower case
 * @param network from where its bytes may be read
 * @param family snapshots of one family can be told apart by Azure; empty where it does not say
 */
record CloudSnapshot(
        String id,
        String location,
        long sizeBytes,
        String state,
        double progress,
        Optional<String> copyError,
        boolean isCopy,
        String source,
        String family,
        NetworkRule network,
        Instant createdAt,
        Map<String, String> tags) {
    static final String SUCCEEDED = "Succeeded";
    static final String FAILED = "Failed";

    CloudSnapshot {
        tags = Map.copyOf(tags);
    }

    String group() {
        return AzureNames.groupOf(id);
    }

    String name() {
        return AzureNames.nameOf(id);
    }

    /** Where it is of a disk that was uploaded to, whose bytes Azure does not tell; what was made of it tells them too. */
    Optional<Long> uploadedBytes() {
        return tags.containsKey(AzureNames.SIZE) ? Optional.of(sizeBytes) : Optional.empty();
    }

    CloudSnapshot withTags(Map<String, String> other) {
        return new CloudSnapshot(
                id, location, sizeBytes, state, progress, copyError, isCopy, source, family, network, createdAt, other);
    }
}

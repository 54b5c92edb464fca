package io.tidemark.provider.gce;

import java.time.Instant;
import java.util.Map;

/**
 * A snapshot as Google tells of it.
 *
 * @param status {@code CREATING}, {@code UPLOADING}, {@code READY}, {@code FAILED}, {@code DELETING}
 * @param labelFingerprint of the labels as they are here; whoever sets others must name it
 */
record CloudSnapshot(
        String name,
        long sizeBytes,
        String status,
        Instant createdAt,
        String labelFingerprint,
        Map<String, String> labels) {

    /**
     * Its content can change no more: fixed when the upload begins ("CREATING", "UPLOADING" in the status of a
     * snapshot).
     */
    boolean isFixed() {
        return status.equals("UPLOADING") || status.equals("READY");
    }
}

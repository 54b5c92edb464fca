package io.tidemark.provider.ebs;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A volume as EC2 tells of it.
 *
 * @param state {@code creating}, {@code available}, {@code in-use}, {@code deleting}, {@code deleted}, {@code error}
 * @param snapshot which it was made from, by Amazon's name
 */
record CloudVolume(
        String id,
        long sizeBytes,
        String state,
        String type,
        String zone,
        boolean encrypted,
        Optional<String> snapshot,
        List<Attachment> attachments,
        Map<String, String> tags) {

    /** @param device the name that was given at the attachment, {@code /dev/xvda} */
    record Attachment(String instance, String device) {}
}

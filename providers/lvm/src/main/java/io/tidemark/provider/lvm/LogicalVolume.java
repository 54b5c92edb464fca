package io.tidemark.provider.lvm;

import java.util.List;
import java.util.Optional;

/**
 * One line of {@code lvs}.
 *
 * @param segmentType {@code thin}, {@code thin-pool}, {@code linear}, ...
 * @param pool the thin pool it lies in; empty where there is none
 * @param thinId the pool's number for it, -1 where there is none
 * @param chunkBytes of a pool, 0 of others
 * @param open whether somebody has its device open: a mount, a process, a loop device
 */
record LogicalVolume(
        String name,
        long sizeBytes,
        String segmentType,
        String pool,
        int thinId,
        int chunkBytes,
        double dataPercent,
        double metadataPercent,
        boolean active,
        boolean open,
        List<String> tags) {

    LogicalVolume {
        tags = List.copyOf(tags);
    }

    LogicalVolume without(String tag) {
        var rest = tags.stream().filter(each -> !each.equals(tag)).toList();
        return new LogicalVolume(
                name,
                sizeBytes,
                segmentType,
                pool,
                thinId,
                chunkBytes,
                dataPercent,
                metadataPercent,
                active,
                open,
                rest);
    }

    boolean thin() {
        return segmentType.equals("thin");
    }

    /** The rest of the first tag that begins so. */
    Optional<String> tag(String prefix) {
        return tags.stream()
                .filter(tag -> tag.startsWith(prefix))
                .map(tag -> tag.substring(prefix.length()))
                .findFirst();
    }
}

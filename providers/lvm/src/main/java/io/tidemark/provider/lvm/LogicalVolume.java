package io.tidemark.provider.lvm;

import java.util.List;
import java.util.Optional;

/**
 * One line of {@code lvs}.
 *
 * @param sizeBytes of a classic snapshot, its store's
 * @param segmentType of its first segment: {@code thin}, {@code thin-pool}, {@code linear}, ...
 * @param pool the thin pool it lies in; empty where there is none
 * @param thinId the pool's number for it, -1 where there is none
 * @param chunkBytes of a pool or a classic snapshot, 0 of others
 * @param open whether somebody has its device open: a mount, a process, a loop device
 * @param part whether it is a part of another one, such as a pool's metadata
 * @param store what makes it a classic snapshot
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
        List<String> tags,
        boolean part,
        StoreUse store) {

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
                rest,
                part,
                store);
    }

    boolean thin() {
        return segmentType.equals("thin");
    }

    /** Of a kind that LVM makes classic snapshots of, and no such snapshot itself. */
    boolean classic() {
        return !part
                && !store.present()
                && (segmentType.equals("linear") || segmentType.equals("striped") || segmentType.startsWith("raid"));
    }

    /** The rest of the first tag that begins so. */
    Optional<String> tag(String prefix) {
        return tags.stream()
                .filter(tag -> tag.startsWith(prefix))
                .map(tag -> tag.substring(prefix.length()))
                .findFirst();
    }
}

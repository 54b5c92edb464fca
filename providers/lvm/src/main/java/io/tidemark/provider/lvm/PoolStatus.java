package io.tidemark.provider.lvm;

import java.util.List;
import java.util.Optional;

/**
 * What the kernel says of a thin pool, the line of {@code dmsetup status}: Linux, Documentation/admin-guide/device-mapper/
 * thin-provisioning.rst, "Status".
 *
 * @param transaction how many changes LVM has told the pool; lower than LVM's own number while one has not arrived
 * @param readOnly the pool takes no change of its metadata: they are full, or writing them has failed
 * @param needsCheck it stays so until the metadata have been checked
 */
record PoolStatus(
        long transaction,
        long usedMetadataBytes,
        long metadataBytes,
        long usedDataBlocks,
        long dataBlocks,
        boolean readOnly,
        boolean needsCheck) {
    /** Linux, drivers/md/dm-thin-metadata.h, THIN_METADATA_BLOCK_SIZE. */
    private static final int METADATA_BLOCK_BYTES = 4 << 10;

    private static final int FIELDS_MINIMUM = 8;

    /** @return empty for whatever is no such line: a pool that is not active, or that has failed */
    static Optional<PoolStatus> parse(String line) {
        // start, length, "thin-pool", transaction, metadata, data, root held, mode, ..., needs_check
        var fields = List.of(line.strip().split("\\s+", -1));
        if (fields.size() < FIELDS_MINIMUM || !fields.get(2).equals("thin-pool")) {
            return Optional.empty();
        }
        try {
            var metadata = fields.get(4).split("/", 2);
            var data = fields.get(5).split("/", 2);
            return Optional.of(new PoolStatus(
                    Long.parseLong(fields.get(3)),
                    Long.parseLong(metadata[0]) * METADATA_BLOCK_BYTES,
                    Long.parseLong(metadata[1]) * METADATA_BLOCK_BYTES,
                    Long.parseLong(data[0]),
                    Long.parseLong(data[1]),
                    fields.contains("ro"),
                    fields.contains("needs_check")));
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            return Optional.empty();
        }
    }
}

package io.tidemark.domain;

import java.time.Instant;
import java.util.Locale;

/**
 * A snapshot or a volume served as a network block device.
 *
 * @param source a snapshot's id; of {@link Access#WRITABLE} a volume's, of {@link Access#LIVE} a link's
 */
public record Export(ExportId id, String source, Access access, Instant createdAt) {

    /** What clients can do with it. */
    public enum Access {
        /** Read a snapshot. */
        READ_ONLY,
        /** Read a snapshot, and write what is thrown away with the export. */
        OVERLAY,
        /** Read and write a live volume, which nobody else writes meanwhile. */
        WRITABLE,
        /** Read and write a volume that is replicated live; there while this host's copy is primary. */
        LIVE;

        /** For people. */
        public String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }
}

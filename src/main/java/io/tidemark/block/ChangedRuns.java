package io.tidemark.block;

import io.tidemark.spi.ProviderException;
import java.util.Optional;

/**
 * Blocks that the other side lacks, in ascending order, disjoint. The same snapshots always give the same blocks,
 * whoever named the ranges, so that an interrupted transfer can go on where it stopped. One thread at a time.
 */
public interface ChangedRuns extends AutoCloseable {

    /** Everything is compared, sent and stored in blocks of this size. */
    int BLOCK_BYTES = 4 << 10;

    /** Longest run of data: a frame's worth. Zero runs may be longer. */
    int RUN_BYTES_MAXIMUM = 256 << 10;

    Optional<ChangedRun> next() throws ProviderException;

    /** What it took so far. */
    Counts counts();

    /** Of {@link #counts}, for who asks often. */
    default long readBytes() {
        return counts().readBytes();
    }

    @Override
    void close() throws ProviderException;

    /**
     * @param namedBytes what the changed-range source named, in whole blocks
     * @param readBytes read from the snapshots, older and newer
     * @param comparedBytes compared with the older snapshot or with the other side's digests
     * @param changedBytes in the runs given so far, zero runs too
     */
    record Counts(long namedBytes, long readBytes, long comparedBytes, long changedBytes) {
        public static final Counts NONE = new Counts(0, 0, 0, 0);

        public Counts plus(Counts other) {
            return new Counts(
                    namedBytes + other.namedBytes,
                    readBytes + other.readBytes,
                    comparedBytes + other.comparedBytes,
                    changedBytes + other.changedBytes);
        }
    }
}

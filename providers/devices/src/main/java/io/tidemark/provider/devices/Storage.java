package io.tidemark.provider.devices;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderException;
import java.nio.file.Path;

/** What a volume that is written lies on. */
public interface Storage {

    /** In what it gives out room: a chunk, a block. */
    int granuleBytes();

    /**
     * Gives whole granules back, which then read as zeros.
     *
     * @return whether it did; else nothing is changed, and the zeros have to be written
     */
    boolean discard(Path device, BlockRange granules) throws ProviderException;

    /** A device says no more than that there was an I/O error: what the storage knows of why. */
    default ProviderException explained(ProviderException failure) {
        return failure;
    }
}

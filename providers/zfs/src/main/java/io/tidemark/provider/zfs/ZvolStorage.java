package io.tidemark.provider.zfs;

import io.tidemark.provider.devices.Storage;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderException;
import java.nio.file.Path;

/** Of a volume that is written: whole blocks of zeros are given back. */
record ZvolStorage(ZfsCommands commands, String zvol, int granuleBytes) implements Storage {
    @Override
    public boolean discard(Path device, BlockRange blocks) throws ProviderException {
        return commands.discard(device, blocks);
    }

    @Override
    public ProviderException explained(ProviderException failure) {
        return commands.explained(zvol, failure);
    }
}

package io.tidemark.provider.lvm;

import io.tidemark.spi.ProviderException;

/** Does what changes names or tags of a group while nobody else does; long work between two such changes holds nobody up. */
interface Alone {
    <T> T run(Change<T> change) throws ProviderException;

    @FunctionalInterface
    interface Change<T> {
        /** @param catalog of this moment */
        T run(LvmCatalog catalog) throws ProviderException;
    }
}

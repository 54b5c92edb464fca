package io.tidemark.provider.lvm;

import io.tidemark.spi.ProviderException;

/** Does what changes names or tags of a group while nobody else does; long work between two such changes holds nobody up. */
@FunctionalInterface
interface Alone {
    /** @return what the change does */
    boolean run(Change change) throws ProviderException;

    @FunctionalInterface
    interface Change {
        /**
         * @param catalog of this moment
         * @return whether there was something to do
         */
        boolean run(LvmCatalog catalog) throws ProviderException;
    }
}

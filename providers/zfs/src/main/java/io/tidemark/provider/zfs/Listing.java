package io.tidemark.provider.zfs;

import io.tidemark.spi.ProviderException;

/** Asks ZFS what there is now. */
interface Listing {
    ZvolCatalog list() throws ProviderException;
}

package io.tidemark.provider.zfs;

import io.tidemark.spi.ProviderException;

/** Asks ZFS what there is now. */
interface Listing {
    VolumeCatalog list() throws ProviderException;
}

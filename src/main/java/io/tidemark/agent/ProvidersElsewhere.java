package io.tidemark.agent;

import io.tidemark.spi.ProviderException;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.util.List;

/** The providers of agents' hosts, of which some may be out of reach. */
public interface ProvidersElsewhere {

    /**
     * @param volume of an agent
     * @throws ProviderException Unreachable, VolumeNotFound
     */
    StorageProvider of(VolumeId volume) throws ProviderException;

    /** Those that can be asked now. */
    List<StorageProvider> reachable();

    /** Hosts that are known and cannot be asked now, in order of name. */
    List<Unlisted> unreachable();
}

package io.tidemark.control.port;

import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import java.util.Optional;

/** Lists and forgets peers; what pairing itself needs is in {@link io.tidemark.agent.SiteCatalog}. */
public interface PeerStore {
    Page<Peer> page(Optional<String> after, int limit);

    Optional<Peer> find(PeerId id);

    boolean remove(PeerId id);
}

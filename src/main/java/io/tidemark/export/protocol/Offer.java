package io.tidemark.export.protocol;

import java.util.List;
import java.util.Optional;

/** What a handshake can choose from. */
public interface Offer {
    Optional<OfferedExport> find(String name);

    List<OfferedExport> offered();
}

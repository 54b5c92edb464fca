package io.tidemark.agent;

import io.tidemark.spi.StorageProvider;
import java.util.Optional;

/** Storage whose answers can be lost on their way: an agent's. */
public interface RemembersWork {

    /**
     * The same storage, whose clones, rollbacks and creations are of the one work of that id: asked again it does not do
     * it again, but says how far it is, or what it came to.
     *
     * @param work 1 to 100 characters of {@code [A-Za-z0-9-]}, never used for other work
     * @return empty where the agent's software is too old for that
     */
    Optional<StorageProvider> under(String work);

    /**
     * Who remembers it: the fingerprint of the agent's key, of the form {@code [0-9a-f]+}. An agent that was installed anew
     * under the same name has another, and remembers nothing.
     */
    String rememberedBy();
}

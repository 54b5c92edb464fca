package io.tidemark.spi;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Found by {@link java.util.ServiceLoader}; makes one instance per configured provider. */
public interface ProviderFactory {

    /** The provider's name, as in {@link StorageProvider#name()}. */
    String name();

    /**
     * @param settings the provider's section of the configuration: names as written there, scalar values as text,
     *     lists as {@code name.0}, {@code name.1}
     * @throws IllegalArgumentException naming the setting, the bad value and what is allowed; {@link BadSetting} where one
     *     setting is to blame, so that its line can be told
     * @throws ProviderException when the storage itself refuses
     */
    StorageProvider create(Map<String, String> settings) throws ProviderException;

    /**
     * As {@link #create(Map)}, of storage of which a site may have several at once: an account, a region.
     *
     * @param name of this one, by which its volumes are called: 1 to 16 lower-case letters
     * @throws IllegalArgumentException also where there can only be the one that is called as its kind
     */
    default StorageProvider create(String name, Map<String, String> settings) throws ProviderException {
        if (!name.equals(name())) {
            throw new IllegalArgumentException(
                    "there is one provider of kind %s, called %s, not \"%s\"".formatted(name(), name(), name));
        }
        return create(settings);
    }

    /**
     * The least rights that the provider needs of its account, as a document in the form that the account's owner grants
     * them in; empty where it needs none but the host's. Asks nobody.
     *
     * @param settings as for {@link #create(Map)}; with fewer, words in capitals stand where they would
     */
    default Optional<String> policy(Map<String, String> settings) {
        return Optional.empty();
    }

    /** What the storage publishes of how many snapshots it takes; asks nobody. */
    default List<PublishedLimit> limits() {
        return List.of();
    }

    /**
     * What the provider needs of this host, met or not; looks only and changes nothing, beside a running service too.
     *
     * @param settings as for {@link #create}; none: only what does not depend on them is looked at
     */
    List<HostRequirement> check(Map<String, String> settings);
}

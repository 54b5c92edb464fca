package io.tidemark.spi;

import java.util.List;
import java.util.Map;

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
     * What the provider needs of this host, met or not; looks only and changes nothing, beside a running service too.
     *
     * @param settings as for {@link #create}; none: only what does not depend on them is looked at
     */
    List<HostRequirement> check(Map<String, String> settings);
}

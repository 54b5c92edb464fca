package io.tidemark.bootstrap;

import io.tidemark.agent.Providers;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.ProviderFactory;
import io.tidemark.spi.StorageProvider;
import java.util.ArrayList;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** Makes the configured providers from whatever factories the distribution carries. */
final class ProviderLoading {
    private ProviderLoading() {}

    /** @param sections each provider's own settings, by its name */
    static Providers load(Map<String, Map<String, String>> sections) throws SiteStartException {
        var factories = new TreeMap<String, ProviderFactory>();
        ServiceLoader.load(ProviderFactory.class).forEach(factory -> factories.put(factory.name(), factory));
        var loaded = new ArrayList<StorageProvider>();
        try {
            for (var section : sections.entrySet()) {
                loaded.add(one(section.getKey(), section.getValue(), factories));
            }
            return new Providers(loaded);
        } catch (SiteStartException e) {
            loaded.forEach(StorageProvider::close);
            throw e;
        }
    }

    private static StorageProvider one(
            String name, Map<String, String> settings, Map<String, ProviderFactory> factories)
            throws SiteStartException {
        var factory = factories.get(name);
        if (factory == null) {
            throw new SiteStartException(
                    "provider %s is not part of this distribution, which has %s".formatted(name, factories.keySet()));
        }
        try {
            return factory.create(settings);
        } catch (IllegalArgumentException e) {
            throw new SiteStartException("providers.%s: %s".formatted(name, e.getMessage()), e);
        } catch (ProviderException e) {
            throw new SiteStartException(
                    "provider %s: %s".formatted(name, e.error().message()), e);
        }
    }
}

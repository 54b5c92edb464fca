package io.tidemark.bootstrap;

import io.tidemark.agent.Providers;
import io.tidemark.spi.BadSetting;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.ProviderFactory;
import io.tidemark.spi.StorageProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeMap;

/** Makes the configured providers from whatever factories the distribution carries. */
final class ProviderLoading {
    private ProviderLoading() {}

    /** @throws SiteStartException where one is refused, with the place of the setting that is to blame */
    static Providers load(Settings settings) throws SiteStartException {
        var factories = factories();
        var loaded = new ArrayList<StorageProvider>();
        try {
            for (var name : settings.providers().keySet()) {
                loaded.add(one(name, settings, factories));
            }
            return new Providers(loaded);
        } catch (SiteStartException e) {
            loaded.forEach(StorageProvider::close);
            throw e;
        }
    }

    /** What each provider needs of this host, met or not, by its name; with none of its settings, less is asked. */
    static Map<String, List<HostRequirement>> check(Map<String, Map<String, String>> sections)
            throws SiteStartException {
        var factories = factories();
        var found = new TreeMap<String, List<HostRequirement>>();
        for (var section : sections.entrySet()) {
            found.put(section.getKey(), factory(section.getKey(), factories).check(section.getValue()));
        }
        return found;
    }

    /** Of the providers in this distribution. */
    static Set<String> names() {
        return factories().keySet();
    }

    private static Map<String, ProviderFactory> factories() {
        var factories = new TreeMap<String, ProviderFactory>();
        ServiceLoader.load(ProviderFactory.class).forEach(factory -> factories.put(factory.name(), factory));
        return factories;
    }

    private static ProviderFactory factory(String name, Map<String, ProviderFactory> factories)
            throws SiteStartException {
        var factory = factories.get(name);
        if (factory == null) {
            throw new SiteStartException(
                    "provider %s is not part of this distribution, which has %s".formatted(name, factories.keySet()));
        }
        return factory;
    }

    private static StorageProvider one(String name, Settings settings, Map<String, ProviderFactory> factories)
            throws SiteStartException {
        try {
            return factory(name, factories).create(settings.providers().getOrDefault(name, Map.of()));
        } catch (BadSetting e) {
            var section = "providers." + name;
            throw new SiteStartException(
                    "%s%s: %s".formatted(settings.before(section + "." + e.setting()), section, e.getMessage()), e);
        } catch (IllegalArgumentException e) {
            throw new SiteStartException("providers.%s: %s".formatted(name, e.getMessage()), e);
        } catch (ProviderException e) {
            throw new SiteStartException(
                    "provider %s: %s".formatted(name, e.error().message()), e);
        }
    }
}

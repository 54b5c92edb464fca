package io.tidemark.bootstrap;

import io.tidemark.agent.Providers;
import io.tidemark.cli.PolicyCommand;
import io.tidemark.spi.BadSetting;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.ProviderFactory;
import io.tidemark.spi.StorageProvider;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeMap;

/**
 * Makes the configured providers from whatever factories the distribution carries: those on the class path, and those in
 * folders of their own, each with libraries that nothing else sees. A host that does without a cloud leaves its folder out.
 */
final class ProviderLoading {
    /** Folders of jars, one a provider, separated as a class path is; the launcher names them. */
    private static final String FOLDERS = "tidemark.providers";
    /** Which factory makes it, where it is called otherwise. */
    private static final String KIND = "kind";

    private static final String NAME = "[a-z]{1,16}";

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
            var kind = kind(section.getKey(), section.getValue());
            found.put(section.getKey(), factory(kind, factories).check(withoutKind(section.getValue())));
        }
        return found;
    }

    /** The least rights that a provider needs of its account, as its owner grants them; empty: it needs none. */
    static Optional<String> policy(String name, Map<String, String> settings) throws SiteStartException {
        return factory(kind(name, settings), factories()).policy(withoutKind(settings));
    }

    /** What the storage of a provider publishes of its limits, and the provider's kind. */
    static PolicyCommand.Found limits(String name, Map<String, String> settings) throws SiteStartException {
        var kind = kind(name, settings);
        return new PolicyCommand.Found(kind, factory(kind, factories()).limits());
    }

    /** Of the providers in this distribution. */
    static Set<String> names() throws SiteStartException {
        return factories().keySet();
    }

    private static Map<String, ProviderFactory> factories() throws SiteStartException {
        var factories = new TreeMap<String, ProviderFactory>();
        ServiceLoader.load(ProviderFactory.class).forEach(factory -> factories.put(factory.name(), factory));
        for (var folder : System.getProperty(FOLDERS, "").split(File.pathSeparator, -1)) {
            if (!folder.isEmpty()) {
                ServiceLoader.load(ProviderFactory.class, loader(Path.of(folder)))
                        .forEach(factory -> factories.putIfAbsent(factory.name(), factory));
            }
        }
        return factories;
    }

    /** Lives as long as the process: a provider loads classes until its end. */
    private static ClassLoader loader(Path folder) throws SiteStartException {
        try (var jars = Files.newDirectoryStream(folder, "*.jar")) {
            var found = new ArrayList<URL>();
            for (var jar : jars) {
                found.add(jar.toUri().toURL());
            }
            return new URLClassLoader(
                    folder.toString(), found.toArray(URL[]::new), ProviderFactory.class.getClassLoader());
        } catch (IOException e) {
            throw new SiteStartException("folder of a provider cannot be read: " + folder, e);
        }
    }

    private static String kind(String name, Map<String, String> settings) {
        return settings.getOrDefault(KIND, name);
    }

    private static Map<String, String> withoutKind(Map<String, String> settings) {
        var rest = new TreeMap<>(settings);
        rest.remove(KIND);
        return rest;
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
            if (!name.matches(NAME)) {
                throw new IllegalArgumentException("a provider is called by 1 to 16 lower-case letters");
            }
            var section = settings.providers().getOrDefault(name, Map.of());
            return factory(kind(name, section), factories).create(name, withoutKind(section));
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

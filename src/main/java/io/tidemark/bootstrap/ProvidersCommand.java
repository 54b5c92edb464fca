package io.tidemark.bootstrap;

import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.HostRequirement.State;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** What the kinds of storage need of this host. Asks no site: it is for before the first start, and for when one fails. */
@Command(
        name = "providers",
        description = "Kinds of storage, and what they need of this host.",
        mixinStandardHelpOptions = true)
public final class ProvidersCommand {
    private static final int EXIT_MET = 0;
    private static final int EXIT_LACKING = 3;

    @Spec
    private @Nullable CommandSpec spec;

    @Command(
            name = "check",
            description = {
                "Says what is missing on this host: programs, rights, devices, storage. Looks at the providers that are"
                        + " named, else at those that are configured, else at all there are. Changes nothing.",
                "Ends with 0 where each of them can work, else with 3."
            },
            mixinStandardHelpOptions = true)
    int check(
            @Option(names = "--config", paramLabel = "FILE", description = "Settings, as of standalone.") @Nullable
                    Path config,
            @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Overrides one setting; may be repeated.")
                    @Nullable
                    List<String> overrides,
            @Option(names = "--json", description = "Print one JSON object.") boolean json,
            @Parameters(paramLabel = "PROVIDER", arity = "0..*", description = "Kind of storage, such as image.")
                    @Nullable
                    List<String> names) {
        if (spec == null) {
            throw new AssertionError("called before the command line was parsed");
        }
        try {
            var settings = Settings.load(Optional.ofNullable(config), overrides == null ? List.of() : overrides);
            var found = ProviderLoading.check(asked(settings.providers(), names == null ? List.of() : names));
            var out = spec.commandLine().getOut();
            if (json) {
                out.println(document(found).encodePrettily());
            } else {
                found.forEach((name, requirements) -> print(out, name, requirements));
            }
            return works(found) ? EXIT_MET : EXIT_LACKING;
        } catch (SettingsException | SiteStartException e) {
            spec.commandLine().getErr().println("tidemark: " + e.getMessage());
            return EXIT_LACKING;
        }
    }

    @Command(
            name = "policy",
            description = {
                "Prints the least rights that a provider needs of its cloud account, as a document to grant them by. Asks"
                        + " nobody.",
                "Of one that is not configured, words in capitals stand for its settings."
            },
            mixinStandardHelpOptions = true)
    int policy(
            @Option(names = "--config", paramLabel = "FILE", description = "Settings, as of standalone.") @Nullable
                    Path config,
            @Parameters(paramLabel = "PROVIDER", description = "Kind of storage, or the name of one configured.")
                    String name) {
        if (spec == null) {
            throw new AssertionError("called before the command line was parsed");
        }
        var command = spec.commandLine();
        try {
            var settings = Settings.load(Optional.ofNullable(config), List.of());
            var policy = ProviderLoading.policy(name, settings.providers().getOrDefault(name, Map.of()));
            policy.ifPresentOrElse(
                    command.getOut()::println,
                    () -> command.getErr()
                            .println(
                                    "tidemark: provider %s needs no rights of an account; of this host: tidemark providers check %s"
                                            .formatted(name, name)));
            return EXIT_MET;
        } catch (SettingsException | SiteStartException e) {
            command.getErr().println("tidemark: " + e.getMessage());
            return EXIT_LACKING;
        }
    }

    /** One that is not configured is asked with no settings: for its programs and rights. */
    private static Map<String, Map<String, String>> asked(
            Map<String, Map<String, String>> configured, Collection<String> names) throws SiteStartException {
        if (names.isEmpty()) {
            return configured.isEmpty() ? asked(configured, ProviderLoading.names()) : configured;
        }
        var asked = new TreeMap<String, Map<String, String>>();
        names.forEach(name -> asked.put(name, configured.getOrDefault(name, Map.of())));
        return asked;
    }

    private static boolean works(Map<String, List<HostRequirement>> found) {
        return found.values().stream()
                .flatMap(List::stream)
                .noneMatch(requirement -> requirement.state() == State.LACKING);
    }

    private static void print(PrintWriter out, String provider, List<HostRequirement> requirements) {
        int width = requirements.stream()
                .mapToInt(requirement -> requirement.what().length())
                .max()
                .orElse(1);
        out.println(provider + ":" + (requirements.isEmpty() ? " needs nothing" : ""));
        for (var requirement : requirements) {
            out.println("  %-7s  %-{width}s  %s"
                    .replace("{width}", Integer.toString(width))
                    .formatted(word(requirement), requirement.what(), requirement.detail()));
        }
    }

    private static JsonObject document(Map<String, List<HostRequirement>> found) {
        var providers = new JsonArray();
        found.forEach((name, requirements) -> {
            var items = new JsonArray();
            for (var requirement : requirements) {
                items.add(new JsonObject()
                        .put("what", requirement.what())
                        .put("state", word(requirement))
                        .put("detail", requirement.detail()));
            }
            providers.add(new JsonObject().put("name", name).put("requirements", items));
        });
        return new JsonObject().put("works", works(found)).put("providers", providers);
    }

    private static String word(HostRequirement requirement) {
        return requirement.state().name().toLowerCase(Locale.ROOT);
    }
}

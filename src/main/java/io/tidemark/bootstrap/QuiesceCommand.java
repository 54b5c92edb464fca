package io.tidemark.bootstrap;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Explanation;
import io.tidemark.consistency.Quiescers;
import io.tidemark.consistency.filesystem.FileSystemExplanation;
import io.tidemark.domain.Certificate;
import io.tidemark.domain.QuiescerSpec;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** What freezing an application means, told by what freezes it. Asks no site and no application. */
@Command(name = "quiesce", description = "Applications that can be frozen for a cut.", mixinStandardHelpOptions = true)
public final class QuiesceCommand {
    private static final int EXIT_DONE = 0;
    private static final int EXIT_REFUSED = 3;
    private static final String INDENT = "  ";

    @Spec
    private @Nullable CommandSpec spec;

    @Command(
            name = "explain",
            description = {
                "Says step by step what freezing a kind of application does, which account and rights it needs, its"
                        + " settings, and what happens when something fails. Without KIND, lists the kinds.",
                "Settings that are given are checked as a plan would check them."
            },
            mixinStandardHelpOptions = true)
    int explain(
            @Option(
                            names = "--set",
                            paramLabel = "NAME=VALUE",
                            description = "A setting of the quiescer; may be repeated.")
                    @Nullable
                    List<String> settings,
            @Option(
                            names = "--config",
                            paramLabel = "FILE",
                            description = "Settings, as of standalone: of kind command it names the programs.")
                    @Nullable
                    Path config,
            @Option(names = "--json", description = "Print one JSON object.") boolean json,
            @Parameters(paramLabel = "KIND", arity = "0..1", description = "Kind of application, such as postgresql.")
                    @Nullable
                    String kind) {
        var out = command().commandLine().getOut();
        var written = written(settings == null ? List.of() : settings);
        try {
            var quiescers = QuiescerLoading.load(Settings.load(Optional.ofNullable(config), List.of()));
            if (kind == null) {
                if (!written.isEmpty()) {
                    throw new ParameterException(
                            command().commandLine(),
                            "--set: say which KIND it is of: " + String.join(", ", kinds(quiescers)));
                }
                list(out, explanations(quiescers), json);
                return EXIT_DONE;
            }
            var explanation = explanation(quiescers, kind, written);
            if (json) {
                out.println(document(explanation, written).encodePrettily());
            } else {
                print(out, explanation, written);
            }
            return EXIT_DONE;
        } catch (SettingsException | ConsistencyException e) {
            command().commandLine().getErr().println("tidemark: " + e.getMessage());
            return EXIT_REFUSED;
        }
    }

    private CommandSpec command() {
        if (spec == null) {
            throw new AssertionError("called before the command line was parsed");
        }
        return spec;
    }

    private Map<String, String> written(List<String> settings) {
        var written = new TreeMap<String, String>();
        for (var setting : settings) {
            int equals = setting.indexOf('=');
            if (equals < 1) {
                throw new ParameterException(
                        command().commandLine(), "--set: '%s' is not of the form NAME=VALUE".formatted(setting));
            }
            written.put(setting.substring(0, equals), setting.substring(equals + 1));
        }
        return written;
    }

    private static List<String> kinds(Quiescers quiescers) {
        var kinds = new ArrayList<>(quiescers.kinds());
        kinds.add(Certificate.FILE_SYSTEM);
        return kinds;
    }

    private static List<Explanation> explanations(Quiescers quiescers) throws ConsistencyException {
        var all = new ArrayList<Explanation>();
        for (var kind : quiescers.kinds()) {
            all.add(quiescers.explain(new QuiescerSpec(kind, Map.of())));
        }
        all.add(FileSystemExplanation.get());
        return all;
    }

    /** File systems are no quiescer: their settings are the group's. */
    private Explanation explanation(Quiescers quiescers, String kind, Map<String, String> written)
            throws ConsistencyException {
        if (!kinds(quiescers).contains(kind)) {
            throw new ConsistencyException(
                    new ConsistencyError.UnknownQuiescer(kind, String.join(", ", kinds(quiescers))));
        }
        if (!kind.equals(Certificate.FILE_SYSTEM)) {
            return quiescers.explain(new QuiescerSpec(kind, written));
        }
        if (!written.isEmpty()) {
            throw new ParameterException(
                    command().commandLine(), "--set: file systems have no settings of their own, but the group's");
        }
        return FileSystemExplanation.get();
    }

    private static void list(PrintWriter out, List<Explanation> all, boolean json) {
        if (json) {
            var kinds = new JsonArray();
            all.forEach(
                    each -> kinds.add(new JsonObject().put("kind", each.kind()).put("what", each.what())));
            out.println(new JsonObject().put("kinds", kinds).encodePrettily());
            return;
        }
        int width = width(all.stream().map(Explanation::kind).toList());
        all.forEach(each -> out.println(padded(each.kind(), width) + INDENT + each.what()));
    }

    private static void print(PrintWriter out, Explanation explanation, Map<String, String> written) {
        out.println(explanation.kind() + ": " + explanation.what());
        out.println();
        out.println("What it does:");
        for (int step = 0; step < explanation.steps().size(); step++) {
            out.println(
                    "%s%d. %s".formatted(INDENT, step + 1, explanation.steps().get(step)));
        }
        out.println();
        out.println("Account and least rights:");
        explanation.leastRights().lines().forEach(line -> out.println(INDENT + line));
        out.println();
        out.println("Settings:");
        int names = width(
                explanation.settings().stream().map(Explanation.Setting::name).toList());
        int values = width(explanation.settings().stream()
                .map(each -> value(each, written))
                .toList());
        for (var setting : explanation.settings()) {
            out.println(INDENT
                    + padded(setting.name(), names)
                    + INDENT
                    + padded(value(setting, written), values)
                    + INDENT
                    + setting.meaning());
        }
        out.println();
        out.println("When something fails:");
        explanation.failures().forEach(failure -> out.println(INDENT + "- " + failure));
    }

    private static String value(Explanation.Setting setting, Map<String, String> written) {
        var value = written.getOrDefault(setting.name(), setting.otherwise());
        return value.isEmpty() ? "-" : setting.unit().isEmpty() ? value : value + " " + setting.unit();
    }

    private static int width(List<String> texts) {
        return texts.stream().mapToInt(String::length).max().orElse(0);
    }

    private static String padded(String text, int width) {
        return text + " ".repeat(width - text.length());
    }

    private static JsonObject document(Explanation explanation, Map<String, String> written) {
        var settings = new JsonArray();
        for (var setting : explanation.settings()) {
            var item = new JsonObject().put("name", setting.name()).put("default", setting.otherwise());
            if (written.containsKey(setting.name())) {
                item.put("value", written.get(setting.name()));
            }
            settings.add(item.put("unit", setting.unit()).put("meaning", setting.meaning()));
        }
        return new JsonObject()
                .put("kind", explanation.kind())
                .put("what", explanation.what())
                .put("steps", new JsonArray(explanation.steps()))
                .put("leastRights", explanation.leastRights())
                .put("settings", settings)
                .put("failures", new JsonArray(explanation.failures()));
    }
}

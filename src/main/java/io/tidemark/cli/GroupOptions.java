package io.tidemark.cli;

import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.tidemark.client.ClientError;
import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** What a consistency group is made of. */
final class GroupOptions {
    /** A group has at most 64 volumes and 16 quiescers. */
    private static final long FILE_MAXIMUM_BYTES = 1 << 20;

    enum RequiredConsistency {
        CRASH,
        FILESYSTEM,
        APPLICATION
    }

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description = "YAML (or JSON) file with the group's fields; other options overrule it.")
    private @Nullable Path file;

    @Option(names = "--volume", paramLabel = "VOLUME", description = "A member; may be repeated.")
    private List<String> volumes = List.of();

    @Option(
            names = "--quiescer",
            paramLabel = "KIND[:NAME=VALUE,…]",
            description = {
                "An application to freeze, like postgresql:socketFolder=/run/postgresql,user=backup;",
                "may be repeated, in the order of freezing. Passwords stay in files: passwordFile=FILE."
            })
    private List<String> quiescers = List.of();

    @Option(
            names = "--freeze-file-systems",
            negatable = true,
            defaultValue = Option.NULL_VALUE,
            fallbackValue = "true",
            description = "Whether file systems on the volumes are frozen for the cut; default: they are.")
    private @Nullable Boolean freezeFileSystems;

    @Option(
            names = "--freeze-limit",
            paramLabel = "TIME",
            converter = Units.DurationConverter.class,
            description = "Longest time anything may stay frozen, 100ms to 60s; default 10s.")
    private @Nullable Duration freezeLimit;

    @Option(
            names = "--require",
            paramLabel = "CONSISTENCY",
            description = "CRASH, FILESYSTEM or APPLICATION: what achieves less is deleted and fails; default CRASH.")
    private @Nullable RequiredConsistency consistency;

    /** Sets what was named; leaves the rest. */
    void apply(Map<String, @Nullable Object> body, SiteOptions site) throws ClientException {
        if (file != null) {
            fromFile(file)
                    .fields()
                    .forEach((name, value) -> body.put(
                            name,
                            name.equals("quiescers")
                                    ? value.items().stream()
                                            .map(GroupOptions::settingsAsTexts)
                                            .toList()
                                    : value.raw()));
        }
        if (!volumes.isEmpty()) {
            body.put("volumes", volumes);
        }
        if (!quiescers.isEmpty()) {
            body.put(
                    "quiescers",
                    quiescers.stream().map(text -> quiescer(text, site)).toList());
        }
        if (freezeFileSystems != null) {
            body.put("freezeFileSystems", freezeFileSystems);
        }
        if (freezeLimit != null) {
            body.put("freezeLimitMillis", freezeLimit.toMillis());
        }
        if (consistency != null) {
            body.put("requireConsistency", consistency.name());
        }
    }

    /** YAML reads {@code port: 5432} as a number; the API takes every setting as text. */
    private static Map<String, @Nullable Object> settingsAsTexts(Json quiescer) {
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        quiescer.fields().forEach((name, value) -> fields.put(name, value.raw()));
        Map<String, String> settings = new LinkedHashMap<>();
        quiescer.at("settings").fields().forEach((name, value) -> settings.put(name, value.text()));
        fields.put("settings", settings);
        return fields;
    }

    private static Map<String, Object> quiescer(String text, SiteOptions site) {
        int colon = text.indexOf(':');
        Map<String, String> settings = new LinkedHashMap<>();
        if (colon >= 0) {
            for (var setting : text.substring(colon + 1).split(",", -1)) {
                int equals = setting.indexOf('=');
                if (equals < 1) {
                    throw new ParameterException(
                            site.spec().commandLine(),
                            "--quiescer: '%s' is not of the form name=value".formatted(setting));
                }
                settings.put(setting.substring(0, equals), setting.substring(equals + 1));
            }
        }
        return Map.of("kind", colon < 0 ? text : text.substring(0, colon), "settings", settings);
    }

    private static Json fromFile(Path file) throws ClientException {
        try {
            if (Files.size(file) > FILE_MAXIMUM_BYTES) {
                throw new IOException("it is larger than 1 MiB");
            }
            try (var in = Files.newInputStream(file);
                    var parser = new YAMLFactory().createParser(in)) {
                var group = Json.read(parser);
                if (!group.isObject()) {
                    throw new IOException("it does not hold fields of a group");
                }
                return group;
            }
        } catch (NoSuchFileException e) {
            throw new ClientException(
                    new ClientError.Unusable("file %s does not exist".formatted(file), "name one with --file, or none"),
                    e);
        } catch (IOException e) {
            String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            throw new ClientException(
                    new ClientError.Unusable(
                            "file %s cannot be used: %s".formatted(file, reason),
                            "docs/operating/cli.md, Groups, shows the form of a group"),
                    e);
        }
    }
}

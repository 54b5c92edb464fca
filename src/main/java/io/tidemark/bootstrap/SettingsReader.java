package io.tidemark.bootstrap;

import io.tidemark.cli.NearestWord;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;

/**
 * Reads {@code tidemark.yaml}: every value keeps its line, unknown keys and bad values are refused with the nearest
 * right one. Overrides ({@code key=value}) win over the file, the file over the defaults.
 */
final class SettingsReader {
    /** Larger than any sensible configuration; protects against a wrong file. */
    static final long FILE_BYTES_MAXIMUM = 1 << 20;

    private static final int DEPTH_MAXIMUM = 16;
    private static final String PROVIDERS = "providers.";
    private static final String COMMANDS = "quiescers.commands.";

    /** A value as written, and where. */
    record Written(String value, String place) {}

    private final Map<String, Written> written = new LinkedHashMap<>();
    private final Map<String, Map<String, String>> providers = new TreeMap<>();
    private final Map<String, Map<String, String>> commands = new TreeMap<>();
    /** Of what the two above hold, by whole path: {@code providers.image.folders.0}. */
    private final Map<String, String> places = new LinkedHashMap<>();

    /** Adds what a file says. */
    void file(Path file) throws SettingsException {
        String text;
        try {
            if (Files.size(file) > FILE_BYTES_MAXIMUM) {
                throw new SettingsException(
                        "%s has more than %d bytes, which no configuration needs".formatted(file, FILE_BYTES_MAXIMUM));
            }
            text = Files.readString(file);
        } catch (NoSuchFileException e) {
            throw new SettingsException("%s does not exist; config/tidemark.yaml shows every setting".formatted(file));
        } catch (IOException e) {
            throw new SettingsException("%s cannot be read: %s".formatted(file, e.getMessage()));
        }
        text(text, file.toString());
    }

    /** Adds what a text says; {@code name} stands for the file in messages. */
    void text(String text, String name) throws SettingsException {
        Node root;
        try {
            var options = new LoaderOptions();
            options.setNestingDepthLimit(DEPTH_MAXIMUM);
            options.setMaxAliasesForCollections(0);
            root = new Yaml(new SafeConstructor(options)).compose(new StringReader(text));
        } catch (MarkedYAMLException e) {
            int line = e.getProblemMark() == null ? 0 : e.getProblemMark().getLine() + 1;
            throw new SettingsException("%s:%d: not YAML: %s".formatted(name, line, e.getProblem()));
        } catch (YAMLException e) {
            // Characters that no text has, or nested too deep: refused without a place.
            throw new SettingsException("%s: not YAML: %s"
                    .formatted(
                            name,
                            String.valueOf(e.getMessage()).lines().findFirst().orElse("")));
        }
        if (root == null) {
            return;
        }
        if (!(root instanceof MappingNode mapping)) {
            throw new SettingsException("%s:1: expected settings, found %s".formatted(name, root.getNodeId()));
        }
        walk(mapping, "", name);
    }

    /** Adds one {@code key=value} from the command line. */
    void override(String assignment) throws SettingsException {
        int equals = assignment.indexOf('=');
        if (equals < 1) {
            throw new SettingsException(
                    "--set %s: expected key=value, for example http.port=7420".formatted(assignment));
        }
        put(assignment.substring(0, equals), assignment.substring(equals + 1), "--set " + assignment);
    }

    private void walk(MappingNode mapping, String prefix, String name) throws SettingsException {
        var seen = new HashSet<String>();
        for (var tuple : mapping.getValue()) {
            if (!(tuple.getKeyNode() instanceof ScalarNode key)) {
                throw new SettingsException("%s: a key must be a word".formatted(place(tuple.getKeyNode(), name)));
            }
            String path = prefix + key.getValue();
            if (!seen.add(path)) {
                throw new SettingsException("%s: duplicate key %s".formatted(place(key, name), path));
            }
            switch (tuple.getValueNode()) {
                case MappingNode inner -> {
                    refuseUnknownSection(path, place(key, name));
                    walk(inner, path + ".", name);
                }
                case SequenceNode list -> list(path, list, name);
                case ScalarNode scalar -> put(path, scalar.getValue(), place(scalar, name));
                default -> throw new SettingsException("%s: %s is not a value".formatted(place(key, name), path));
            }
        }
    }

    private void list(String path, SequenceNode list, String name) throws SettingsException {
        if (!path.startsWith(PROVIDERS) && !path.startsWith(COMMANDS)) {
            put(path, "", place(list, name));
            throw new SettingsException("%s: %s takes one value, not a list".formatted(place(list, name), path));
        }
        int index = 0;
        for (var item : list.getValue()) {
            if (!(item instanceof ScalarNode scalar)) {
                throw new SettingsException("%s: items of %s must be texts".formatted(place(item, name), path));
            }
            put(path + "." + index++, scalar.getValue(), place(item, name));
        }
    }

    private void put(String path, String value, String place) throws SettingsException {
        if (value.chars().anyMatch(Character::isISOControl)) {
            throw new SettingsException("%s: %s holds a control character".formatted(place, path));
        }
        if (path.startsWith(PROVIDERS) || path.startsWith(COMMANDS)) {
            places.put(path, place);
        }
        if (path.startsWith(PROVIDERS)) {
            section(providers, PROVIDERS, path, value, place, "image.folders");
            return;
        }
        if (path.startsWith(COMMANDS)) {
            section(commands, COMMANDS, path, value, place, "orders.freeze");
            return;
        }
        if (Setting.ALL.stream().noneMatch(setting -> setting.path().equals(path))) {
            throw new SettingsException(
                    "%s: unknown setting %s, nearest is %s".formatted(place, path, NearestWord.of(path, paths())));
        }
        written.put(path, new Written(value, place));
    }

    /** Of a named thing that checks its settings itself. */
    private static void section(
            Map<String, Map<String, String>> sections,
            String prefix,
            String path,
            String value,
            String place,
            String example)
            throws SettingsException {
        String rest = path.substring(prefix.length());
        int dot = rest.indexOf('.');
        if (dot < 1) {
            throw new SettingsException(
                    "%s: %s needs settings of its own, for example %s%s".formatted(place, path, prefix, example));
        }
        sections.computeIfAbsent(rest.substring(0, dot), name -> new LinkedHashMap<>())
                .put(rest.substring(dot + 1), value);
    }

    private static void refuseUnknownSection(String path, String place) throws SettingsException {
        boolean known = path.equals("providers")
                || path.startsWith(PROVIDERS)
                || COMMANDS.startsWith(path + ".")
                || path.startsWith(COMMANDS)
                || paths().stream().anyMatch(setting -> setting.startsWith(path + "."));
        if (!known) {
            throw new SettingsException(
                    "%s: unknown setting %s, nearest is %s".formatted(place, path, NearestWord.of(path, paths())));
        }
    }

    private static List<String> paths() {
        return Setting.ALL.stream().map(Setting::path).toList();
    }

    private static String place(Node node, String name) {
        return name + ":" + (node.getStartMark().getLine() + 1);
    }

    Map<String, Written> written() {
        return written;
    }

    Map<String, String> places() {
        return places;
    }

    Map<String, Map<String, String>> commands() {
        return commands;
    }

    Map<String, Map<String, String>> providers() {
        return providers;
    }
}

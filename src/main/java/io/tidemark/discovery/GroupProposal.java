package io.tidemark.discovery;

import io.tidemark.discovery.Discovery.Place;
import io.tidemark.discovery.Discovery.Server;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A group of all servers that lie wholly on volumes, as {@code groups create -f} takes it: all else is comment.
 *
 * @param asked whether the site told its volumes; without them the devices stand in their place
 * @param silence why it did not
 */
public record GroupProposal(String group, List<Server> servers, boolean asked, String silence) {
    public GroupProposal {
        servers = List.copyOf(servers);
    }

    public List<Server> members() {
        return servers.stream().filter(server -> server.lacks().isEmpty()).toList();
    }

    /** Of the members; devices where the site did not tell. */
    public Set<String> volumes() {
        var volumes = new LinkedHashSet<String>();
        for (var server : members()) {
            server.places().forEach(place -> volumes.add(place.volume().orElseGet(place::device)));
        }
        return volumes;
    }

    /** The group's fields as the API has them. */
    public Map<String, Object> fields() {
        var quiescers = new ArrayList<Map<String, Object>>();
        for (var server : members()) {
            quiescers.add(Map.of("kind", server.kind(), "settings", new LinkedHashMap<>(server.settings())));
        }
        var fields = new LinkedHashMap<String, Object>();
        fields.put("id", group);
        fields.put("volumes", List.copyOf(volumes()));
        fields.put("quiescers", quiescers);
        fields.put("requireConsistency", "APPLICATION");
        return fields;
    }

    public String yaml() {
        var text = new StringBuilder();
        for (var server : servers) {
            comment(text, "%s, process %d".formatted(server.kind(), server.pid()));
            for (var place : server.places()) {
                comment(text, "  " + told(place));
            }
            server.notes().forEach(note -> comment(text, "  note: " + note));
            server.lacks().forEach(lack -> comment(text, "  left out of the group: " + lack));
        }
        if (members().isEmpty()) {
            comment(text, "No database server was found that a group could hold.");
            return text.toString();
        }
        text.append("id: ").append(quoted(group)).append("\nvolumes:\n");
        if (!asked) {
            comment(
                    text,
                    "The site did not tell its volumes (%s): put the volume in the place of each device."
                            .formatted(silence));
        }
        volumes().forEach(volume -> text.append("  - ").append(quoted(volume)).append('\n'));
        text.append("quiescers:\n");
        members().forEach(server -> quiescer(text, server));
        text.append("requireConsistency: APPLICATION\n");
        return text.toString();
    }

    private static String told(Place place) {
        var below = place.chain().isEmpty()
                ? place.source()
                : String.join(", ", place.chain().stream().map(Object::toString).toList());
        return "%s %s: %s at %s, on %s%s"
                .formatted(
                        place.what(),
                        place.path(),
                        place.fileSystem(),
                        place.mountPoint(),
                        below,
                        place.volume().map(volume -> ", volume " + volume).orElse(""));
    }

    private static void quiescer(StringBuilder text, Server server) {
        text.append("  - kind: ").append(server.kind()).append('\n');
        comment(text, "    account and settings: tidemark quiesce explain " + server.kind());
        if (server.settings().isEmpty()) {
            text.append("    settings: {}\n");
        } else {
            text.append("    settings:\n");
        }
        server.settings()
                .forEach((name, value) -> text.append("      ")
                        .append(name)
                        .append(": ")
                        .append(quoted(value))
                        .append('\n'));
        server.toComplete().forEach((name, what) -> comment(text, "      %s: (%s)".formatted(name, what)));
        if (!server.settings().isEmpty() || !server.toComplete().isEmpty()) {
            comment(text, "      passwordFile: /etc/tidemark/%s.password".formatted(server.kind()));
        }
    }

    /** One line whatever stands in a file's name: what comes after a line break would be no comment any more. */
    private static void comment(StringBuilder text, String line) {
        text.append("# ");
        line.codePoints().forEach(character -> text.appendCodePoint(breaks(character) ? '?' : character));
        text.append('\n');
    }

    /** Also those that YAML 1.1 breaks lines at. */
    private static boolean breaks(int character) {
        return Character.isISOControl(character) || character == 0x2028 || character == 0x2029;
    }

    /** As YAML and JSON both read it. */
    private static String quoted(String value) {
        var text = new StringBuilder("\"");
        value.codePoints().forEach(character -> {
            if (character == '"' || character == '\\') {
                text.append('\\').appendCodePoint(character);
            } else if (breaks(character)) {
                text.append("\\u%04x".formatted(character));
            } else {
                text.appendCodePoint(character);
            }
        });
        return text.append('"').toString();
    }
}

package io.tidemark.provider.azure;

import com.azure.json.JsonReader;
import com.azure.json.JsonToken;
import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.HostRequirement.State;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Asks Azure what we may in each resource group ("Permissions - List For Resource Group", REST reference of
 * Authorization), and holds every right that is needed against it. Changes nothing. What Azure's deny assignments take
 * away is not in that list.
 */
final class AzureRights {
    private static final String VERSION = "2022-04-01";
    private static final int PAGES_MAXIMUM = 100;

    private final Arm arm;
    private final Attempts attempts;
    private final AzureConfig config;

    /** One role's, of those that are assigned: what it gives less what it does not; another may give that. */
    record Permission(List<String> actions, List<String> notActions) {
        boolean grants(String right) {
            return actions.stream().anyMatch(each -> matches(each, right))
                    && notActions.stream().noneMatch(each -> matches(each, right));
        }

        /** A star is for any text; case does not count ("Understand Azure role definitions"). */
        private static boolean matches(String pattern, String right) {
            var expression = Pattern.compile("\\*")
                    .splitAsStream(pattern.toLowerCase(Locale.ROOT) + " ")
                    .map(Pattern::quote)
                    .collect(Collectors.joining(".*"));
            return (right.toLowerCase(Locale.ROOT) + " ").matches(expression);
        }
    }

    private record Listed(List<Permission> permissions, Optional<URI> next) {}

    AzureRights(Arm arm, Attempts attempts, AzureConfig config) {
        this.arm = arm;
        this.attempts = attempts;
        this.config = config;
    }

    /** For each group of the settings, or for the first where they name all. */
    List<HostRequirement> check() {
        var found = new ArrayList<HostRequirement>();
        var groups = config.wholeSubscription() ? List.of(config.resourceGroup()) : config.listedGroups();
        for (var group : groups) {
            var what = "rights in resource group " + group;
            try {
                found.add(of(what, granted(group)));
            } catch (ProviderException e) {
                found.add(new HostRequirement(what, State.LACKING, e.error().message()));
            }
        }
        if (config.wholeSubscription()) {
            found.add(new HostRequirement(
                    "rights in other resource groups",
                    State.LIMITED,
                    "not asked for, as the settings name none: assign the role to the subscription"));
        }
        return found;
    }

    private static HostRequirement of(String what, List<Permission> granted) {
        var lacking = AzurePolicy.RIGHTS.stream()
                .filter(right -> granted.stream().noneMatch(each -> each.grants(right)))
                .toList();
        return lacking.isEmpty()
                ? new HostRequirement(what, State.MET, "all %d".formatted(AzurePolicy.RIGHTS.size()))
                : new HostRequirement(
                        what,
                        State.LACKING,
                        "%s; \"tidemark providers policy azure\" prints what is needed"
                                .formatted(String.join(", ", lacking)));
    }

    private List<Permission> granted(String group) throws ProviderException {
        var asked = "permissions in resource group " + group;
        var all = new ArrayList<Permission>();
        var next = Optional.of(URI.create(
                "%s/subscriptions/%s/resourcegroups/%s/providers/Microsoft.Authorization/permissions?api-version=%s"
                        .formatted(config.endpoint(), config.subscription(), group, VERSION)));
        for (int page = 0; page < PAGES_MAXIMUM && next.isPresent(); page++) {
            var at = next.get();
            var listed = attempts.until(() -> Arm.parsed(arm.get(asked, at), AzureRights::listed));
            all.addAll(listed.permissions());
            next = listed.next();
        }
        if (next.isPresent()) {
            throw new ProviderException(
                    new ProviderError.Unexpected(asked, "%d pages and none the last".formatted(PAGES_MAXIMUM)));
        }
        return all;
    }

    private static Listed listed(JsonReader reader) throws IOException {
        return reader.readObject(fields -> {
            List<Permission> permissions = List.of();
            Optional<URI> next = Optional.empty();
            while (fields.nextToken() != JsonToken.END_OBJECT) {
                var name = fields.getFieldName();
                fields.nextToken();
                switch (name) {
                    case "value" -> permissions = fields.readArray(AzureRights::permission);
                    case "nextLink" ->
                        next = Optional.ofNullable(fields.getString())
                                .filter(each -> !each.isEmpty())
                                .map(URI::create);
                    default -> fields.skipChildren();
                }
            }
            return new Listed(permissions, next);
        });
    }

    private static Permission permission(JsonReader reader) throws IOException {
        return reader.readObject(fields -> {
            List<String> actions = List.of();
            List<String> notActions = List.of();
            while (fields.nextToken() != JsonToken.END_OBJECT) {
                var name = fields.getFieldName();
                fields.nextToken();
                switch (name) {
                    case "actions" -> actions = texts(fields);
                    case "notActions" -> notActions = texts(fields);
                    default -> fields.skipChildren();
                }
            }
            return new Permission(actions, notActions);
        });
    }

    private static List<String> texts(JsonReader reader) throws IOException {
        var texts = reader.readArray(JsonReader::getString);
        return texts == null ? List.of() : texts;
    }
}

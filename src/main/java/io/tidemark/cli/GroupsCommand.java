package io.tidemark.cli;

import static io.tidemark.client.SiteClient.segment;

import io.tidemark.cli.Table.Column;
import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
        name = "groups",
        description = "Volumes that are snapshotted at one instant, and the databases on them.",
        addMethodSubcommands = false)
final class GroupsCommand extends ResourceCommand {

    @Command(name = "list", description = "Lists consistency groups.")
    int list(@Mixin SiteOptions site, @Mixin ListOptions range) throws ClientException {
        return range.show(
                site,
                "/v1/groups",
                List.of(
                        Column.text("ID", "id"),
                        Column.joined("VOLUMES", "volumes"),
                        Column.of("QUIESCERS", GroupsCommand::quiescers),
                        Column.millis("FREEZE LIMIT", "freezeLimitMillis"),
                        Column.text("REQUIRES", "requireConsistency")));
    }

    private static String quiescers(Json group) {
        return String.join(
                " ",
                group.at("quiescers").items().stream()
                        .map(quiescer -> quiescer.at("kind").text())
                        .toList());
    }

    @Command(name = "show", description = "Shows one group.")
    int show(@Mixin SiteOptions site, @Parameters(paramLabel = "GROUP", description = GROUP) String group)
            throws ClientException {
        return site.show(site.client().get("/v1/groups/" + segment(group)));
    }

    @Command(
            name = "create",
            description = "Makes a group, from options or from a YAML file with the same fields as the API.")
    int create(
            @Mixin SiteOptions site,
            @Mixin GroupOptions options,
            @Parameters(arity = "0..1", paramLabel = "GROUP", description = GROUP) @Nullable String group)
            throws ClientException {
        Map<String, @Nullable Object> body = new LinkedHashMap<>();
        options.apply(body, site);
        if (group != null) {
            body.put("id", group);
        }
        return site.show(site.client().post("/v1/groups", body));
    }

    @Command(name = "update", description = "Changes what the options name and leaves the rest as it is.")
    int update(
            @Mixin SiteOptions site,
            @Mixin GroupOptions options,
            @Parameters(paramLabel = "GROUP", description = GROUP) String group)
            throws ClientException {
        String path = "/v1/groups/" + segment(group);
        Map<String, @Nullable Object> body = new LinkedHashMap<>();
        site.client().get(path).fields().forEach((name, value) -> body.put(name, value.raw()));
        options.apply(body, site);
        body.put("id", group);
        return site.show(site.client().put(path, body));
    }

    @Command(name = "delete", description = "Removes a group that no link needs. Its recovery points stay.")
    int delete(@Mixin SiteOptions site, @Parameters(paramLabel = "GROUP", description = GROUP) String group)
            throws ClientException {
        var answer = site.client().delete("/v1/groups/" + segment(group));
        return site.say("group %s deleted".formatted(group), answer);
    }
}

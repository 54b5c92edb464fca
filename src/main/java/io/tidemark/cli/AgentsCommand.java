package io.tidemark.cli;

import static io.tidemark.client.SiteClient.segment;

import io.tidemark.cli.Table.Column;
import io.tidemark.client.ClientException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "agents",
        description = "Hosts whose storage and applications this controller commands.",
        addMethodSubcommands = false)
final class AgentsCommand extends ResourceCommand {
    private static final String AGENT = "Name of the agent.";

    @Command(name = "list", description = "Lists every enrolled host, connected or lost.")
    int list(@Mixin SiteOptions site) throws ClientException {
        return site.show(
                site.client().get("/v1/agents").at("items").items(),
                List.of(
                        Column.text("ID", "id"),
                        Column.text("STATE", "state"),
                        Column.text("ADDRESS", "address"),
                        Column.text("SOFTWARE", "software"),
                        Column.text("FINGERPRINT", "fingerprint")));
    }

    @Command(name = "show", description = "Shows one agent.")
    int show(@Mixin SiteOptions site, @Parameters(paramLabel = "AGENT", description = AGENT) String agent)
            throws ClientException {
        return site.show(site.client().get("/v1/agents/" + segment(agent)));
    }

    @Command(
            name = "invite",
            description = {
                "Prints a token, once; it is a secret. Use it on the host that is to become the agent:",
                "tidemark agent --config FILE --enrol-file TOKEN-FILE"
            })
    int invite(
            @Mixin SiteOptions site,
            @Parameters(paramLabel = "AGENT", description = "What to call the host here.") String agent,
            @Option(
                            names = "--replace",
                            description = "The agent of that name has lost its key: the new host takes its place.")
                    boolean replace,
            @Option(
                            names = "--valid",
                            paramLabel = "TIME",
                            defaultValue = "1h",
                            converter = Units.DurationConverter.class,
                            description = "How long it can be used, 1m to 7d; default 1h.")
                    Duration valid)
            throws ClientException {
        var invitation = site.client()
                .post(
                        "/v1/agent-invitations",
                        Map.of("agent", agent, "replaces", replace, "validMillis", valid.toMillis()));
        return site.say(invitation.at("token").text(), invitation);
    }

    @Command(
            name = "remove",
            aliases = "delete",
            description = "Forgets an agent that no group needs; its key is refused from then on.")
    int remove(@Mixin SiteOptions site, @Parameters(paramLabel = "AGENT", description = AGENT) String agent)
            throws ClientException {
        var answer = site.client().delete("/v1/agents/" + segment(agent));
        return site.say("agent %s removed".formatted(agent), answer);
    }
}

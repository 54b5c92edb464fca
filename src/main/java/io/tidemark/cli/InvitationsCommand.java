package io.tidemark.cli;

import io.tidemark.client.ClientException;
import java.time.Duration;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "invitations",
        description = "One-time tokens with which another site pairs with this one.",
        addMethodSubcommands = false)
final class InvitationsCommand extends ResourceCommand {

    @Command(
            name = "create",
            description = {
                "Prints a token, once; it is a secret. Accept it on the other site:",
                "tidemark peers accept THIS-SITE --invitation-file FILE"
            })
    int create(
            @Mixin SiteOptions site,
            @Parameters(paramLabel = "PEER", description = "What to call the invited site here.") String peer,
            @Option(
                            names = "--valid",
                            paramLabel = "TIME",
                            defaultValue = "1h",
                            converter = Units.DurationConverter.class,
                            description = "How long it can be accepted, 1m to 7d; default 1h.")
                    Duration valid)
            throws ClientException {
        var invitation = site.client().post("/v1/invitations", Map.of("peer", peer, "validMillis", valid.toMillis()));
        return site.say(invitation.at("token").text(), invitation);
    }
}

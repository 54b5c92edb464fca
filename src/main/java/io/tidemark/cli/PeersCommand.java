package io.tidemark.cli;

import static io.tidemark.client.SiteClient.segment;

import io.tidemark.cli.Table.Column;
import io.tidemark.client.ClientError;
import io.tidemark.client.ClientException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "peers", description = "Paired sites.", addMethodSubcommands = false)
final class PeersCommand extends ResourceCommand {
    private static final int INVITATION_MAXIMUM_BYTES = 4096;
    private static final Path STANDARD_INPUT = Path.of("-");

    @Command(name = "list", description = "Lists paired sites.")
    int list(@Mixin SiteOptions site, @Mixin ListOptions range) throws ClientException {
        return range.show(
                site,
                "/v1/peers",
                List.of(
                        Column.text("ID", "id"),
                        Column.text("ADDRESS", "address"),
                        Column.text("PAIRED AT", "pairedAt"),
                        Column.text("FINGERPRINT", "fingerprint")));
    }

    @Command(name = "show", description = "Shows one paired site.")
    int show(@Mixin SiteOptions site, @Parameters(paramLabel = "PEER", description = PEER) String peer)
            throws ClientException {
        return site.show(site.client().get("/v1/peers/" + segment(peer)));
    }

    @Command(
            name = "accept",
            description = "Accepts another site's invitation; afterwards both know each other's keys.")
    int accept(
            @Mixin SiteOptions site,
            @Parameters(paramLabel = "PEER", description = "What to call the inviting site here.") String peer,
            @Option(
                            names = "--invitation-file",
                            paramLabel = "FILE",
                            defaultValue = "-",
                            description = "File that holds the invitation's token; default: - for standard input.")
                    Path file)
            throws ClientException {
        return site.show(site.client().post("/v1/peers", Map.of("id", peer, "token", invitation(file))));
    }

    /** Not an argument: other users of the host read those. */
    private static String invitation(Path file) throws ClientException {
        try (InputStream in = file.equals(STANDARD_INPUT) ? System.in : Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(INVITATION_MAXIMUM_BYTES + 1);
            String token = new String(bytes, StandardCharsets.UTF_8).strip();
            if (bytes.length > INVITATION_MAXIMUM_BYTES || token.isEmpty() || token.contains("\n")) {
                throw new IOException("it does not hold one token on one line");
            }
            return token;
        } catch (IOException e) {
            throw new ClientException(
                    new ClientError.Unusable(
                            "invitation from %s cannot be used: %s".formatted(file, e.getMessage()),
                            "make one on the other site: tidemark invitations create THIS-SITE > FILE"),
                    e);
        }
    }

    @Command(
            name = "remove",
            aliases = "delete",
            description = "Forgets a peer that no link needs; its key is refused from then on.")
    int remove(@Mixin SiteOptions site, @Parameters(paramLabel = "PEER", description = PEER) String peer)
            throws ClientException {
        var answer = site.client().delete("/v1/peers/" + segment(peer));
        return site.say("peer %s removed".formatted(peer), answer);
    }
}

package io.tidemark.cli;

import static io.tidemark.client.SiteClient.segment;

import io.tidemark.attach.AttachException;
import io.tidemark.attach.Attachments;
import io.tidemark.client.ClientError;
import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import io.tidemark.domain.ExportId;
import java.io.IOException;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "attach",
        sortOptions = false,
        description = {
            "Makes a block device of an export of a site on this host; prints its name. Its users see no more than a pause",
            "while the site is restarted. Needs root, and the kernel's nbd with nbd-client, or nbdfuse."
        })
final class AttachCommand implements Callable<Integer> {
    static final String FOLDER_DEFAULT = "/run/tidemark/attached";
    private static final String SOCKET = "socket=";

    @Mixin
    private SiteOptions site = new SiteOptions();

    @Parameters(paramLabel = "EXPORT", description = "Export's id, like ex-….")
    private String export = "";

    @Option(
            names = "--away-limit",
            paramLabel = "TIME",
            defaultValue = "5m",
            converter = Units.DurationConverter.class,
            description =
                    "How long reads and writes wait while the site is away, before all fail for good; default: 5m.")
    private Duration awayLimit = Duration.ofMinutes(5);

    @Option(
            names = "--folder",
            paramLabel = "FOLDER",
            defaultValue = "${env:TIDEMARK_ATTACH_FOLDER:-" + FOLDER_DEFAULT + "}",
            description = "Where it is written down what is attached; default: TIDEMARK_ATTACH_FOLDER, then "
                    + FOLDER_DEFAULT + ".")
    private Path folder = Path.of(FOLDER_DEFAULT);

    @Override
    public Integer call() throws ClientException {
        if (awayLimit.toSeconds() < 1) {
            throw new ClientException(new ClientError.Unusable("--away-limit is less than a second", "1s or more"));
        }
        var shown = site.client().get("/v1/exports/" + segment(export));
        var socket = shown.at("uris").items().stream()
                .map(Json::text)
                .flatMap(uri -> socket(uri).stream())
                .findFirst()
                .orElseThrow(() -> new ClientException(new ClientError.Unusable(
                        "export %s is not served at a unix socket".formatted(export),
                        "see why: tidemark status; an export of another host cannot be attached")));
        try {
            var made = new Attachments(folder).attach(new ExportId(export), socket, awayLimit);
            return site.say(
                    made.device().toString(),
                    Json.of(Map.of(
                            "device", made.device().toString(),
                            "export", export,
                            "means", made.means().name())));
        } catch (AttachException | IOException | InterruptedException e) {
            throw refused(e);
        }
    }

    /** Of an address on this host. */
    private static Optional<Path> socket(String uri) {
        if (!uri.startsWith("nbd+unix:")) {
            return Optional.empty();
        }
        var query = Optional.ofNullable(URI.create(uri).getRawQuery()).orElse("");
        return query.startsWith(SOCKET)
                ? Optional.of(Path.of(URLDecoder.decode(query.substring(SOCKET.length()), StandardCharsets.UTF_8)))
                : Optional.empty();
    }

    static ClientException refused(Exception e) {
        if (e instanceof InterruptedException) {
            Thread.currentThread().interrupt();
        }
        return new ClientException(new ClientError.Unusable(
                String.valueOf(e.getMessage()), e instanceof AttachException refused ? refused.advice() : ""));
    }
}

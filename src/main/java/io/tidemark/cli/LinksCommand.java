package io.tidemark.cli;

import static io.tidemark.client.SiteClient.segment;

import io.tidemark.cli.Table.Column;
import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "links",
        description = "Volumes kept in step with their copies on a peer.",
        addMethodSubcommands = false)
final class LinksCommand extends ResourceCommand {
    private static final String PATH = "/v1/links/";

    @Command(name = "list", description = "Lists replication links, with both roles.")
    int list(@Mixin SiteOptions site, @Mixin ListOptions range) throws ClientException {
        return range.show(
                site,
                "/v1/links",
                List.of(
                        Column.text("ID", "id"),
                        Column.text("ROLE", "role"),
                        Column.text("PEER", "peer"),
                        Column.text("VOLUME", "volume"),
                        Column.text("PEER VOLUME", "peerVolume"),
                        Column.millis("EVERY", "everyMillis"),
                        Column.text("IN STEP WITH", "inStep")));
    }

    @Command(name = "show", description = "Shows one link and what its last synchronisation cost.")
    int show(@Mixin SiteOptions site, @Parameters(paramLabel = "LINK", description = LINK) String link)
            throws ClientException {
        return site.show(site.client().get(PATH + segment(link)));
    }

    @Command(name = "create", description = "Links a volume of a group with its copy on a peer, which makes the copy.")
    int create(
            @Mixin SiteOptions site,
            @Option(names = "--peer", required = true, paramLabel = "PEER", description = PEER) String peer,
            @Option(names = "--group", required = true, paramLabel = "GROUP", description = GROUP) String group,
            @Option(names = "--volume", required = true, paramLabel = "VOLUME", description = VOLUME) String volume,
            @Option(
                            names = "--peer-volume",
                            paramLabel = "VOLUME",
                            description = "Id of the copy on the peer; default: the same.")
                    @Nullable
                    String peerVolume,
            @Option(
                            names = "--every",
                            paramLabel = "TIME",
                            converter = Units.DurationConverter.class,
                            description = "How often to take and send a recovery point; default: only when asked.")
                    @Nullable
                    Duration every)
            throws ClientException {
        Map<String, @Nullable Object> body = new LinkedHashMap<>();
        body.put("peer", peer);
        body.put("group", group);
        body.put("volume", volume);
        body.put("peerVolume", peerVolume == null ? volume : peerVolume);
        if (every != null) {
            body.put("everyMillis", every.toMillis());
        }
        return site.show(site.client().post("/v1/links", body));
    }

    @Command(name = "sync", description = "Sends a recovery point: what changed, or everything the first time.")
    int sync(
            @Mixin SiteOptions site,
            @Mixin WaitOptions waiting,
            @Mixin WhichPoint which,
            @Parameters(paramLabel = "LINK", description = LINK) String link)
            throws ClientException {
        var operation = site.client().post(PATH + segment(link) + "/syncs", which.body());
        return waiting.finish(site, operation, (to, result) -> to.show(result.at("report")));
    }

    @Command(name = "verify", description = "Compares a recovery point with its copy, whole, by checksums.")
    int verify(
            @Mixin SiteOptions site,
            @Mixin WaitOptions waiting,
            @Mixin WhichPoint which,
            @Parameters(paramLabel = "LINK", description = LINK) String link)
            throws ClientException {
        var operation = site.client().post(PATH + segment(link) + "/verifications", which.body());
        return waiting.waits()
                ? verdict(site, waiting.watch(site, operation.at("id").text()))
                : waiting.started(site, operation);
    }

    /** A copy that differs is a finding, not a success. */
    private static int verdict(SiteOptions site, Json ended) {
        var report = ended.at("result", "report");
        site.show(site.json() ? ended : report);
        return report.at("differingBlocks").number() == 0 ? ExitCode.OK : ExitCode.OPERATION_FAILED;
    }

    @Command(name = "delete", description = "Forgets the link here and releases what it held. Both volumes stay.")
    int delete(@Mixin SiteOptions site, @Parameters(paramLabel = "LINK", description = LINK) String link)
            throws ClientException {
        var answer = site.client().delete(PATH + segment(link));
        return site.say("link %s deleted".formatted(link), answer);
    }

    /** Which recovery point of the link's group. */
    static final class WhichPoint {
        @Option(
                names = "--recovery-point",
                paramLabel = "ID",
                description = "Which one; default: the newest that fits.")
        private @Nullable String point;

        Map<String, String> body() {
            return point == null ? Map.of() : Map.of("recoveryPoint", point);
        }
    }
}

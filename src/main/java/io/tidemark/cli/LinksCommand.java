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
                        Column.text("STATE", "state"),
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
                    Duration every,
            @Mixin Rates rates)
            throws ClientException {
        Map<String, @Nullable Object> body = new LinkedHashMap<>();
        body.put("peer", peer);
        body.put("group", group);
        body.put("volume", volume);
        body.put("peerVolume", peerVolume == null ? volume : peerVolume);
        if (every != null) {
            body.put("everyMillis", every.toMillis());
        }
        rates.addTo(body);
        return site.show(site.client().post("/v1/links", body));
    }

    @Command(
            name = "sync",
            description =
                    "Sends the group's newest recovery point: what changed, or everything the first time. Takes none: see"
                            + " recovery-points create.")
    int sync(
            @Mixin SiteOptions site,
            @Mixin WaitOptions waiting,
            @Mixin WhichPoint which,
            @Parameters(paramLabel = "LINK", description = LINK) String link)
            throws ClientException {
        var operation = site.client().post(PATH + segment(link) + "/syncs", which.body());
        return waiting.finish(site, operation, (to, result) -> to.show(result.at("report")));
    }

    @Command(
            name = "verify",
            description =
                    "Compares a recovery point with its copy, whole, by checksums. What was written to either volume"
                            + " since is not looked at.")
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

    @Command(name = "set", description = "Replaces schedule and rates; what is left out is unlimited, or by hand only.")
    int set(
            @Mixin SiteOptions site,
            @Option(
                            names = "--every",
                            paramLabel = "TIME",
                            converter = Units.DurationConverter.class,
                            description = "How often to take and send a recovery point; default: only when asked.")
                    @Nullable
                    Duration every,
            @Mixin Rates rates,
            @Parameters(paramLabel = "LINK", description = LINK) String link)
            throws ClientException {
        Map<String, @Nullable Object> body = new LinkedHashMap<>();
        if (every != null) {
            body.put("everyMillis", every.toMillis());
        }
        rates.addTo(body);
        return site.show(site.client().put(PATH + segment(link) + "/settings", body));
    }

    @Command(name = "pause", description = "Takes, sends and receives nothing until resumed; base and holds stay.")
    int pause(@Mixin SiteOptions site, @Parameters(paramLabel = "LINK", description = LINK) String link)
            throws ClientException {
        return site.show(site.client().post(PATH + segment(link) + "/pause"));
    }

    @Command(name = "resume", description = "Lets a paused link go on, first with what the pause stopped.")
    int resume(@Mixin SiteOptions site, @Parameters(paramLabel = "LINK", description = LINK) String link)
            throws ClientException {
        return site.show(site.client().post(PATH + segment(link) + "/resume"));
    }

    @Command(
            name = "resync",
            description = "Overwrites a target that was written, diverged or lost its base; keeps what it has first.")
    int resync(
            @Mixin SiteOptions site,
            @Mixin WaitOptions waiting,
            @Mixin Confirmation confirmation,
            @Mixin WhichPoint which,
            @Parameters(paramLabel = "LINK", description = LINK) String link)
            throws ClientException {
        confirmation.confirm(
                site,
                "what the target of link %s has is overwritten, and kept there as a recovery point".formatted(link));
        Map<String, Object> body = new LinkedHashMap<>(which.body());
        body.put("overwriteTarget", true);
        var operation = site.client().post(PATH + segment(link) + "/resyncs", body);
        return waiting.finish(site, operation, (to, result) -> to.show(result.at("report")));
    }

    @Command(
            name = "reverse",
            description = "Turns the link round: sends the last changes, then the peer is the source.")
    int reverse(
            @Mixin SiteOptions site,
            @Mixin WaitOptions waiting,
            @Mixin Confirmation confirmation,
            @Option(
                            names = "--unplanned",
                            description = "At the target, when the source is lost: be the source with what is here.")
                    boolean unplanned,
            @Option(
                            names = "--follow",
                            description = "At the old source, when the peer was promoted without it: be the target.")
                    boolean follow,
            @Parameters(paramLabel = "LINK", description = LINK) String link)
            throws ClientException {
        if (unplanned && follow) {
            throw new picocli.CommandLine.ParameterException(
                    site.spec().commandLine(),
                    "--unplanned is for the target, --follow for the old source; this site is one of them");
        }
        if (unplanned) {
            confirmation.confirm(site, "what the source of link %s has not sent is left behind".formatted(link));
        }
        if (follow) {
            confirmation.confirm(site, "this site's volume of link %s becomes the copy of its peer's".formatted(link));
        }
        String mode = unplanned ? "UNPLANNED" : follow ? "FOLLOW" : "PLANNED";
        var operation = site.client().post(PATH + segment(link) + "/reversals", Map.of("mode", mode));
        return waiting.finish(site, operation, (to, result) -> to.show(result.at("link")));
    }

    @Command(name = "delete", description = "Forgets the link here and releases what it held. Both volumes stay.")
    int delete(@Mixin SiteOptions site, @Parameters(paramLabel = "LINK", description = LINK) String link)
            throws ClientException {
        var answer = site.client().delete(PATH + segment(link));
        return site.say("link %s deleted".formatted(link), answer);
    }

    /** How fast the link may go; a person's words, which the site checks. */
    static final class Rates {
        @Option(
                names = "--rate-limit",
                paramLabel = "RATE",
                description = "Most that is sent a second, compressed, for example 50MiB/s; default: unlimited.")
        private @Nullable String limit;

        @Option(
                names = "--window",
                paramLabel = "WINDOW",
                description = "Rate at certain hours, for example \"mon-fri 08:00-18:00=10MiB/s\"; may be repeated.")
        private List<String> windows = List.of();

        @Option(
                names = "--on-arrival",
                description = "Send on what the volume receives over another link, as soon as it is here.")
        private boolean onArrival;

        void addTo(Map<String, @Nullable Object> body) {
            if (limit != null) {
                body.put("rateLimit", limit);
            }
            if (!windows.isEmpty()) {
                body.put("rateWindows", windows);
            }
            if (onArrival) {
                body.put("onArrival", true);
            }
        }
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

package io.tidemark.cli;

import static io.tidemark.client.SiteClient.segment;

import io.tidemark.cli.Table.Column;
import io.tidemark.client.ClientError;
import io.tidemark.client.ClientException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "live",
        description = "Volumes replicated write by write: every write goes to two hosts, as with DRBD.",
        addMethodSubcommands = false)
final class LiveCommand extends ResourceCommand {
    private static final String PATH = "/v1/live-links";
    private static final String LIVE = "Live link's id, like ln-…; the same on both sides.";
    private static final long LOOK_MILLIS = 1_000;
    private static final List<Column> COLUMNS = List.of(
            Column.text("ID", "id"),
            Column.text("ROLE", "role"),
            Column.text("DISK", "disk"),
            Column.text("REPLICATION", "replication"),
            Column.size("DIRTY", "dirtyBytes"),
            Column.text("PROTOCOL", "protocol"),
            Column.text("VOLUME", "volume"),
            Column.text("PEER", "peer"),
            Column.text("EXPORT", "export"));
    private static final List<Column> EVENTS = List.of(
            Column.text("NUMBER", "number"),
            Column.text("AT", "at"),
            Column.text("WHAT", "what"),
            Column.text("FROM", "from"),
            Column.text("TO", "to"));

    @Command(name = "list", description = "Lists live links as this side sees them.")
    int list(@Mixin SiteOptions site) throws ClientException {
        var answer = site.client().get(PATH);
        int ended = site.show(answer.at("items").items(), COLUMNS);
        for (var each : answer.at("unread").items()) {
            site.err()
                    .println(
                            "tidemark: live link %s cannot be read, and no volume of that host is rolled back, deleted or exported to write: %s; put %s right, or move it away where its copy is given up; then start the site again"
                                    .formatted(
                                            each.at("id").text(),
                                            each.at("why").text(),
                                            each.at("folder").text()));
        }
        return ended;
    }

    @Command(
            name = "create",
            description = {
                "Makes a copy of a volume at a peer that gets every write. Promote the side that has the content:",
                "it is what the volume is, and the other is made equal to it."
            })
    int create(
            @Mixin SiteOptions site,
            @Option(names = "--peer", required = true, paramLabel = "PEER", description = PEER) String peer,
            @Option(names = "--volume", required = true, paramLabel = "VOLUME", description = VOLUME) String volume,
            @Option(
                            names = "--peer-volume",
                            paramLabel = "VOLUME",
                            description = "Id of the copy on the peer, made where there is none; default: the same.")
                    @Nullable
                    String peerVolume,
            @Option(
                            names = "--overwrite-peer",
                            description = "Give up what the peer's volume has; else one that has data is refused.")
                    boolean overwritePeer,
            @Mixin Terms terms)
            throws ClientException {
        Map<String, @Nullable Object> body = new LinkedHashMap<>();
        body.put("peer", peer);
        body.put("volume", volume);
        body.put("peerVolume", peerVolume == null ? volume : peerVolume);
        body.put("overwritePeer", overwritePeer);
        terms.addTo(body);
        return site.show(site.client().post(PATH, body));
    }

    /** How it is replicated. */
    static final class Terms {
        @Option(
                names = "--protocol",
                defaultValue = "C",
                paramLabel = "A|B|C",
                description = {
                    "When a write is answered: A, written here and on its way; B, in the peer's memory; C, durable on both.",
                    "Default: ${DEFAULT-VALUE}."
                })
        private String protocol = "C";

        @Option(
                names = "--on-congestion",
                defaultValue = "block",
                paramLabel = "block|pull-ahead",
                description = {
                    "When the send buffer is full: let writes wait, or leave the peer behind and catch up later.",
                    "Default: ${DEFAULT-VALUE}."
                })
        private String congestion = "block";

        @Option(
                names = "--buffer",
                defaultValue = "16MiB",
                paramLabel = "SIZE",
                converter = Units.SizeConverter.class,
                description = "Writes on their way to the peer, 64KiB to 1GiB. Default: ${DEFAULT-VALUE}.")
        private Units.Size buffer = new Units.Size(16 << 20);

        @Option(
                names = "--al-extents",
                defaultValue = "256",
                paramLabel = "COUNT",
                description = {
                    "Extents of 4 MiB in the activity log, 67 to 65534: what a crash of the primary makes to be sent again.",
                    "Default: ${DEFAULT-VALUE}."
                })
        private int extents;

        @Option(
                names = "--resync-floor",
                defaultValue = "16MiB",
                paramLabel = "SIZE",
                converter = Units.SizeConverter.class,
                description = {
                    "A second, that a resync keeps beside clients' requests; 0: it does not give way to them.",
                    "Default: ${DEFAULT-VALUE}."
                })
        private Units.Size floor = new Units.Size(16 << 20);

        @Option(
                names = "--resync-ceiling",
                defaultValue = "0",
                paramLabel = "SIZE",
                converter = Units.SizeConverter.class,
                description = "A second, that a resync sends at most; 0: no limit. Default: ${DEFAULT-VALUE}.")
        private Units.Size ceiling = new Units.Size(0);

        @Option(names = "--compare", description = "Let a resync send digests first, and then only blocks that differ.")
        private boolean isComparing;

        @Option(
                names = "--after-split-brain",
                defaultValue = "disconnect",
                paramLabel = "POLICY",
                description = {
                    "After both were written apart, where neither is primary: disconnect, discard-zero-changes,",
                    "discard-least-changes or discard-younger. Whose content is given up is kept as a recovery point.",
                    "Default: ${DEFAULT-VALUE}, a person chooses."
                })
        private String afterSplitBrain = "disconnect";

        @Option(
                names = "--after-split-brain-primary",
                defaultValue = "disconnect",
                paramLabel = "disconnect|discard-secondary",
                description = "The same where one side is primary. Default: ${DEFAULT-VALUE}.")
        private String afterSplitBrainPrimary = "disconnect";

        void addTo(Map<String, @Nullable Object> body) {
            body.put("afterSplitBrain", word(afterSplitBrain));
            body.put("afterSplitBrainPrimary", word(afterSplitBrainPrimary));
            body.put("resyncFloorBytes", floor.bytes());
            body.put("resyncCeilingBytes", ceiling.bytes());
            body.put("compare", isComparing);
            body.put("protocol", protocol.toUpperCase(Locale.ROOT));
            body.put("congestion", word(congestion));
            body.put("bufferBytes", buffer.bytes());
            body.put("activityLogExtents", extents);
        }

        private static String word(String option) {
            return option.toUpperCase(Locale.ROOT).replace('-', '_');
        }
    }

    @Command(name = "show", description = "Shows one live link as this side sees it.")
    int show(@Mixin SiteOptions site, @Parameters(paramLabel = "LINK", description = LIVE) String link)
            throws ClientException {
        return site.show(site.client().get(path(link)));
    }

    @Command(
            name = "status",
            description = {
                "Shows role, disk state, replication, what is still to be sent, the send buffer and the generation;",
                "with --watch, the rate of a resync and when it will have ended, too."
            })
    int status(
            @Mixin SiteOptions site,
            @Parameters(paramLabel = "LINK", description = LIVE) String link,
            @Option(names = "--watch", description = "Go on, with a line for each change, until interrupted.")
                    boolean watch)
            throws ClientException {
        var lines = new LiveLines();
        var now = site.client().get(path(link));
        var before = lines.next(now, System.nanoTime());
        site.say(before, now);
        while (watch) {
            try {
                Thread.sleep(LOOK_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return ExitCode.OK;
            }
            now = site.client().get(path(link));
            var line = lines.next(now, System.nanoTime());
            if (!line.equals(before)) {
                site.say(line, now);
            }
            before = line;
        }
        return ExitCode.OK;
    }

    @Command(
            name = "events",
            description = "Shows what has changed on this side since its site started: the newest 256, oldest first.")
    int events(@Mixin SiteOptions site, @Parameters(paramLabel = "LINK", description = LIVE) String link)
            throws ClientException {
        return site.show(site.client().get(path(link) + "/events").at("items").items(), EVENTS);
    }

    @Command(
            name = "promote",
            description = "Makes this side primary and serves the volume as an export, for attach or any NBD client.")
    int promote(
            @Mixin SiteOptions site,
            @Parameters(paramLabel = "LINK", description = LIVE) String link,
            @Option(
                            names = "--force",
                            description = "Though the peer is not there and may be newer: where it is dead for sure.")
                    boolean force)
            throws ClientException {
        return site.show(site.client().post(path(link) + "/promotions", Map.of("force", force)));
    }

    @Command(name = "demote", description = "Ends the export and makes this side secondary.")
    int demote(
            @Mixin SiteOptions site,
            @Parameters(paramLabel = "LINK", description = LIVE) String link,
            @Option(names = "--force", description = "End its clients, and refuse the writes that wait.") boolean force)
            throws ClientException {
        return site.show(site.client().post(path(link) + "/demotions", Map.of("force", force)));
    }

    @Command(
            name = "resolve",
            description = {
                "After both sides were written apart: says whose content stays. Ask with --keep peer at the side that gives",
                "its own up, which is kept as a recovery point, and with --keep local at the other."
            })
    int resolve(
            @Mixin SiteOptions site,
            @Parameters(paramLabel = "LINK", description = LIVE) String link,
            @Option(names = "--keep", required = true, paramLabel = "local|peer", description = "Whose content stays.")
                    String keep)
            throws ClientException {
        if (!keep.equals("local") && !keep.equals("peer")) {
            throw new ClientException(new ClientError.Unusable(
                    "--keep %s is neither side".formatted(keep), "--keep local or --keep peer"));
        }
        return site.show(
                site.client().post(path(link) + "/resolutions", Map.of("keep", keep.toUpperCase(Locale.ROOT))));
    }

    @Command(
            name = "change",
            description = {
                "Replicates in another way from here on, while clients go on; what is not named stays. Ask at the side that",
                "made the link; its peer is told."
            })
    int change(
            @Mixin SiteOptions site,
            @Parameters(paramLabel = "LINK", description = LIVE) String link,
            @Mixin ChangedTerms change)
            throws ClientException {
        return site.show(site.client().post(path(link) + "/changes", change.body()));
    }

    @Command(
            name = "verify",
            description = {
                "Compares both copies block by block, in use. What differs is dirty until they meet again: see reconnect.",
                "How far it has come, and what it found: show."
            })
    int verify(
            @Mixin SiteOptions site,
            @Parameters(paramLabel = "LINK", description = LIVE) String link,
            @Option(
                            names = "--stop",
                            description = "End the one that is under way, at the side that drives it: the primary.")
                    boolean stop)
            throws ClientException {
        var verifications = path(link) + "/verifications";
        return site.show(
                stop ? site.client().delete(verifications) : site.client().post(verifications));
    }

    @Command(
            name = "reconnect",
            description = "Ends the connection and lets another begin, which repairs what a verify has found.")
    int reconnect(@Mixin SiteOptions site, @Parameters(paramLabel = "LINK", description = LIVE) String link)
            throws ClientException {
        return site.show(site.client().post(path(link) + "/reconnections"));
    }

    @Command(
            name = "invalidate",
            description =
                    "Gives a secondary's content up, kept as a recovery point; it is copied from its primary in full.")
    int invalidate(
            @Mixin SiteOptions site,
            @Parameters(paramLabel = "LINK", description = LIVE) String link,
            @Option(names = "--peer", description = "The peer's content, asked at the primary.") boolean isPeers)
            throws ClientException {
        return site.show(site.client().post(path(link) + "/invalidations", Map.of("side", isPeers ? "PEER" : "LOCAL")));
    }

    @Command(
            name = "remove",
            aliases = "delete",
            description = "Ends the link on this side; the volume stays. End it at the peer too.")
    int remove(@Mixin SiteOptions site, @Parameters(paramLabel = "LINK", description = LIVE) String link)
            throws ClientException {
        var answer = site.client().delete(path(link));
        return site.say("live link %s is ended on this side".formatted(link), answer);
    }

    private static String path(String link) {
        return PATH + "/" + segment(link);
    }
}

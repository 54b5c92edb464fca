package io.tidemark.cli;

import static io.tidemark.client.SiteClient.segment;

import io.tidemark.cli.Table.Column;
import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "recovery-points",
        description = "Snapshots of a group taken together, and what they are good for.",
        addMethodSubcommands = false)
final class RecoveryPointsCommand extends ResourceCommand {
    private static final String PATH = "/v1/recovery-points/";

    @Command(name = "create", description = "Freezes, snapshots and thaws a group.")
    int create(
            @Mixin SiteOptions site,
            @Mixin WaitOptions waiting,
            @Option(names = "--dry-run", description = "Show the plan and change nothing.") boolean dryRun,
            @Parameters(paramLabel = "GROUP", description = GROUP) String group)
            throws ClientException {
        if (dryRun) {
            return plan(site, group);
        }
        var operation = site.client().post(ofGroup(group), Map.of());
        return waiting.finish(site, operation, (to, result) -> summary(to, result.at("recoveryPoint")));
    }

    @Command(name = "plan", description = "Shows what taking a recovery point would do; changes nothing.")
    int plan(@Mixin SiteOptions site, @Parameters(paramLabel = "GROUP", description = GROUP) String group)
            throws ClientException {
        return site.show(site.client().post(ofGroup(group), Map.of("dryRun", true)));
    }

    private static String ofGroup(String group) {
        return "/v1/groups/%s/recovery-points".formatted(segment(group));
    }

    /** What matters at once; certificate and evidence are for {@code show}. */
    private static void summary(SiteOptions site, Json point) {
        site.out().println(point.at("id").text());
        site.out().println("  consistency:  " + point.at("consistency").text());
        if (point.at("freezeWindowMillis").isNumber()) {
            site.out()
                    .println("  frozen for:   "
                            + Units.millis(point.at("freezeWindowMillis").decimal()));
        }
        for (var reason : point.at("certificate", "reasons").items()) {
            site.out().println("  not more, because: " + reason.text());
        }
        point.at("evidence", "plan_warnings")
                .optional()
                .orElse("")
                .lines()
                .forEach(warning -> site.out().println("  warning:      " + warning));
        for (var freeze : point.at("certificate", "freezes").items()) {
            var failure = freeze.at("facts", "thawError").optional().orElse("");
            if (!failure.isEmpty()) {
                site.out()
                        .println("  STILL HELD?   %s %s: its thaw program %s"
                                .formatted(
                                        freeze.at("kind").text(),
                                        freeze.at("subject").text(),
                                        failure));
            }
        }
    }

    @Command(name = "list", description = "Lists recovery points, newest first, those received from peers too.")
    int list(
            @Mixin SiteOptions site,
            @Mixin ListOptions range,
            @Option(names = "--group", paramLabel = "GROUP", description = "Only those of this group.") @Nullable
                    String group)
            throws ClientException {
        String query = group == null ? "" : "?group=" + segment(group);
        return range.show(
                site,
                "/v1/recovery-points" + query,
                List.of(
                        Column.text("ID", "id"),
                        Column.text("GROUP", "group"),
                        Column.text("TAKEN AT", "createdAt"),
                        Column.text("CONSISTENCY", "consistency"),
                        Column.millis("FROZEN FOR", "freezeWindowMillis"),
                        Column.text("RECEIVED OVER", "receivedOver")));
    }

    @Command(name = "show", description = "Shows a recovery point with its certificate and evidence.")
    int show(@Mixin SiteOptions site, @Parameters(paramLabel = "ID", description = RECOVERY_POINT) String point)
            throws ClientException {
        return site.show(site.client().get(PATH + segment(point)));
    }

    @Command(
            name = "verify-certificate",
            description = {
                "Checks the signature of a recovery point, that nothing of it was changed since, and that its certificate"
                        + " proves the consistency that it claims. Asks no site.",
                "What `recovery-points show --json` printed is what it reads."
            })
    int verifyCertificate(
            @Mixin CertificateOptions options,
            @Parameters(paramLabel = "FILE", description = "The recovery point's document; - reads standard input.")
                    Path file) {
        return options.check(file);
    }

    @Command(name = "delete", description = "Deletes a recovery point and its snapshots, unless a link holds it.")
    int delete(
            @Mixin SiteOptions site,
            @Mixin Confirmation confirmation,
            @Parameters(paramLabel = "ID", description = RECOVERY_POINT) String point)
            throws ClientException {
        confirmation.confirm(site, "recovery point %s will be lost".formatted(point));
        var answer = site.client().delete(PATH + segment(point));
        return site.say("recovery point %s deleted".formatted(point), answer);
    }

    @Command(name = "clone", description = "Makes a writable volume from one member of a recovery point.")
    int cloneMember(
            @Mixin SiteOptions site,
            @Mixin WaitOptions waiting,
            @Parameters(index = "0", paramLabel = "ID", description = RECOVERY_POINT) String point,
            @Parameters(index = "1", paramLabel = "NEW-VOLUME", description = "Id of the volume to make.") String name,
            @Option(
                            names = "--volume",
                            paramLabel = "VOLUME",
                            description = "Which member; may be left out when there is one.")
                    @Nullable
                    String volume)
            throws ClientException {
        String member = volume == null ? onlyMember(site, point) : volume;
        var operation = site.client().post(PATH + segment(point) + "/clones", Map.of("volume", member, "name", name));
        return waiting.finish(site, operation, (to, result) -> to.show(result.at("volume")));
    }

    private static String onlyMember(SiteOptions site, String point) throws ClientException {
        var members = site.client().get(PATH + segment(point)).at("members").items();
        if (members.size() != 1) {
            throw new picocli.CommandLine.ParameterException(
                    site.spec().commandLine(),
                    "recovery point %s has %d members; name one with --volume".formatted(point, members.size()));
        }
        return members.getFirst().at("volume").text();
    }

    @Command(name = "rollback", description = "Puts every volume back to the recovery point; later writes are lost.")
    int rollback(
            @Mixin SiteOptions site,
            @Mixin WaitOptions waiting,
            @Mixin Confirmation confirmation,
            @Option(
                            names = "--when-closed",
                            description =
                                    "Where a volume is open (mounted, say), wait until all are closed, seven days at"
                                            + " most, also after a restart of the site; `operations cancel` ends it."
                                            + " Default: fail, and roll none back.")
                    boolean whenClosed,
            @Parameters(paramLabel = "ID", description = RECOVERY_POINT) String point)
            throws ClientException {
        confirmation.confirm(
                site,
                "everything written since %s will be lost%s"
                        .formatted(point, whenClosed ? ", also what is written until the volumes are closed" : ""));
        var operation = site.client()
                .post(PATH + segment(point) + "/rollback", whenClosed ? Map.of("whenOpen", "defer") : Map.of());
        return waiting.finish(site, operation, (to, result) -> to.show(result));
    }
}

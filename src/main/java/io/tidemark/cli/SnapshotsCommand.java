package io.tidemark.cli;

import static io.tidemark.client.SiteClient.segment;

import io.tidemark.cli.Table.Column;
import io.tidemark.client.ClientException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "snapshots", description = "Point-in-time images of single volumes.", addMethodSubcommands = false)
final class SnapshotsCommand extends ResourceCommand {
    private static final String SNAPSHOT = "Snapshot's id, like image:orders@rp-….";

    @Command(name = "list", description = "Lists snapshots taken through Tidemark.")
    int list(
            @Mixin SiteOptions site,
            @Mixin ListOptions range,
            @Option(names = "--volume", paramLabel = "VOLUME", description = "Only those of this volume.") @Nullable
                    String volume)
            throws ClientException {
        String query = volume == null ? "" : "?volume=" + segment(volume);
        return range.show(
                site,
                "/v1/snapshots" + query,
                List.of(
                        Column.text("ID", "id"),
                        Column.size("SIZE", "sizeBytes"),
                        Column.text("TAKEN AT", "createdAt")));
    }

    @Command(name = "create", description = "Takes a snapshot of one volume as it is; freezes nothing.")
    int create(
            @Mixin SiteOptions site,
            @Mixin WaitOptions waiting,
            @Parameters(paramLabel = "VOLUME", description = VOLUME) String volume)
            throws ClientException {
        var operation = site.client().post("/v1/snapshots", Map.of("volume", volume));
        return waiting.finish(site, operation, (to, result) -> to.show(result.at("snapshot")));
    }

    @Command(name = "show", description = "Shows one snapshot.")
    int show(@Mixin SiteOptions site, @Parameters(paramLabel = "SNAPSHOT", description = SNAPSHOT) String snapshot)
            throws ClientException {
        return site.show(site.client().get("/v1/snapshots/" + segment(snapshot)));
    }

    @Command(name = "copy", description = "Has the storage copy a snapshot to another provider of its kind.")
    int copy(
            @Mixin SiteOptions site,
            @Mixin WaitOptions waiting,
            @Parameters(paramLabel = "SNAPSHOT", description = SNAPSHOT) String snapshot,
            @Option(
                            names = "--to",
                            required = true,
                            paramLabel = "PROVIDER",
                            description = "Name of the provider that gets the copy: another region of the cloud.")
                    String to,
            @Option(
                            names = "--key",
                            paramLabel = "KEY",
                            description = "By which the storage encrypts the copy; without it, as it does by itself.")
                    @Nullable
                    String key)
            throws ClientException {
        var request = new TreeMap<String, String>(Map.of("to", to));
        if (key != null) {
            request.put("key", key);
        }
        var operation = site.client().post("/v1/snapshots/" + segment(snapshot) + "/copies", request);
        return waiting.finish(site, operation, (answer, result) -> answer.show(result.at("snapshot")));
    }

    @Command(name = "lock", description = "Has the storage refuse to delete a snapshot until a time, whoever asks.")
    int lock(
            @Mixin SiteOptions site,
            @Mixin Confirmation confirmation,
            @Parameters(paramLabel = "SNAPSHOT", description = SNAPSHOT) String snapshot,
            @Option(
                            names = "--mode",
                            required = true,
                            description =
                                    "governance: can be taken off; compliance: by nobody, once it has cooled off.")
                    LockTime.Mode mode,
            @Mixin LockTime time,
            @Option(
                            names = "--cooling-off",
                            paramLabel = "TIME",
                            defaultValue = "0s",
                            converter = Units.DurationConverter.class,
                            description =
                                    "How long one of compliance can still be taken off, like 24h; default: not at all.")
                    Duration coolingOff)
            throws ClientException {
        var until = time.until(site);
        var request = new TreeMap<String, Object>(Map.of("mode", mode.name(), "until", until.toString()));
        if (!coolingOff.isZero()) {
            request.put("coolingOffHours", LockTime.hours(site, coolingOff));
        }
        if (mode == LockTime.Mode.COMPLIANCE) {
            var cooling = coolingOff.isZero() ? "" : ", once %s have passed".formatted(coolingOff);
            confirmation.confirm(
                    site, "until %s nobody can delete or unlock snapshot %s%s".formatted(until, snapshot, cooling));
        }
        return site.show(site.client().put("/v1/snapshots/" + segment(snapshot) + "/lock", request));
    }

    @Command(name = "unlock", description = "Takes a snapshot's lock off.")
    int unlock(@Mixin SiteOptions site, @Parameters(paramLabel = "SNAPSHOT", description = SNAPSHOT) String snapshot)
            throws ClientException {
        return site.show(site.client().delete("/v1/snapshots/" + segment(snapshot) + "/lock"));
    }

    @Command(
            name = "archive",
            description = {
                "Moves a snapshot into its storage's archive: cheaper, and neither read nor cloned before it is fetched back.",
                "Returns when that has begun; \"snapshots show\" tells how far it is."
            })
    int archive(@Mixin SiteOptions site, @Parameters(paramLabel = "SNAPSHOT", description = SNAPSHOT) String snapshot)
            throws ClientException {
        var path = "/v1/snapshots/" + segment(snapshot) + "/tier";
        return site.show(site.client().put(path, Map.of("tier", "ARCHIVE")));
    }

    @Command(
            name = "restore-from-archive",
            description = "Fetches a snapshot back, for good or for some days; \"snapshots show\" tells how far it is.")
    int restoreFromArchive(
            @Mixin SiteOptions site,
            @Parameters(paramLabel = "SNAPSHOT", description = SNAPSHOT) String snapshot,
            @Option(names = "--days", paramLabel = "DAYS", description = "For how many; default: for good.") @Nullable
                    Integer days)
            throws ClientException {
        var request = new TreeMap<String, Object>(Map.of("tier", "STANDARD"));
        if (days != null) {
            request.put("days", days);
        }
        return site.show(site.client().put("/v1/snapshots/" + segment(snapshot) + "/tier", request));
    }

    @Command(
            name = "fast-restore",
            description = "Has volumes of a snapshot at full speed at once in some zones, at a price by the hour.")
    int fastRestore(
            @Mixin SiteOptions site,
            @Parameters(paramLabel = "SNAPSHOT", description = SNAPSHOT) String snapshot,
            @Option(
                            names = "--zones",
                            required = true,
                            split = ",",
                            paramLabel = "ZONE",
                            description = "Availability zones, like eu-central-1a,eu-central-1b.")
                    List<String> zones,
            @Option(names = "--off", description = "End it there.") boolean off)
            throws ClientException {
        var answer = site.client()
                .put("/v1/snapshots/" + segment(snapshot) + "/fast-restore", Map.of("zones", zones, "on", !off));
        answer.at("fastRestore", "cost").optional().ifPresent(cost -> site.err().println("tidemark: " + cost));
        return site.show(answer);
    }

    @Command(name = "recycle-bin", description = "Lists deleted snapshots that a provider's storage can bring back.")
    int recycleBin(
            @Mixin SiteOptions site,
            @Parameters(paramLabel = "PROVIDER", description = "Provider's name, like ebs.") String provider)
            throws ClientException {
        var answer = site.client().get("/v1/recycle-bins/" + segment(provider));
        return site.show(
                answer.at("items").items(),
                List.of(
                        Column.text("ID", "id"),
                        Column.text("DELETED AT", "deletedAt"),
                        Column.text("GONE AT", "goneAt")));
    }

    @Command(name = "undelete", description = "Brings a snapshot back out of its storage's recycle bin.")
    int undelete(@Mixin SiteOptions site, @Parameters(paramLabel = "SNAPSHOT", description = SNAPSHOT) String snapshot)
            throws ClientException {
        return site.show(site.client().post("/v1/snapshots/" + segment(snapshot) + "/undelete"));
    }

    @Command(name = "delete", description = "Deletes a snapshot that belongs to no recovery point.")
    int delete(
            @Mixin SiteOptions site,
            @Mixin Confirmation confirmation,
            @Parameters(paramLabel = "SNAPSHOT", description = SNAPSHOT) String snapshot)
            throws ClientException {
        confirmation.confirm(site, "snapshot %s will be lost".formatted(snapshot));
        var answer = site.client().delete("/v1/snapshots/" + segment(snapshot));
        return site.say("snapshot %s deleted".formatted(snapshot), answer);
    }
}

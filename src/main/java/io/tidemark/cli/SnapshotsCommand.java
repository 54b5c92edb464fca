package io.tidemark.cli;

import static io.tidemark.client.SiteClient.segment;

import io.tidemark.cli.Table.Column;
import io.tidemark.client.ClientException;
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

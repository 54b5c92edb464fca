package io.tidemark.cli;

import static io.tidemark.client.SiteClient.segment;

import io.tidemark.cli.Table.Column;
import io.tidemark.client.ClientException;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

@Command(
        name = "volumes",
        description = "What can be snapshotted: image files, devices, datasets.",
        addMethodSubcommands = false)
final class VolumesCommand extends ResourceCommand {

    @Command(name = "list", description = "Lists the volumes of all configured providers.")
    int list(@Mixin SiteOptions site, @Mixin ListOptions range) throws ClientException {
        return range.show(
                site,
                "/v1/volumes",
                List.of(
                        Column.text("ID", "id"),
                        Column.size("SIZE", "sizeBytes"),
                        Column.joined("MOUNTED AT", "mountPoints"),
                        Column.text("DEVICE", "device")));
    }

    @Command(name = "show", description = "Shows one volume.")
    int show(@Mixin SiteOptions site, @Parameters(paramLabel = "VOLUME", description = VOLUME) String volume)
            throws ClientException {
        return site.show(site.client().get("/v1/volumes/" + segment(volume)));
    }

    @Command(name = "create", description = "Makes a volume that reads as zeros.")
    int create(
            @Mixin SiteOptions site,
            @Mixin WaitOptions waiting,
            @Parameters(paramLabel = "VOLUME", description = VOLUME) String volume,
            @Option(
                            names = "--size",
                            required = true,
                            paramLabel = "SIZE",
                            converter = Units.SizeConverter.class,
                            description = "Like 512MiB or 4GiB.")
                    Units.Size size)
            throws ClientException {
        var made = site.client().post("/v1/volumes", Map.of("id", volume, "sizeBytes", size.bytes()));
        // A volume that has to be written with zeros first is answered as the operation that does so.
        return made.at("kind").missing()
                ? site.show(made)
                : waiting.finish(site, made, (to, result) -> to.show(result.at("volume")));
    }

    @Command(
            name = "tracking",
            description = "Shows whether the volume's storage is believed when it says what changed.")
    int tracking(@Mixin SiteOptions site, @Parameters(paramLabel = "VOLUME", description = VOLUME) String volume)
            throws ClientException {
        return site.show(site.client().get("/v1/volumes/" + segment(volume) + "/tracking"));
    }

    @Command(name = "trust", description = "Believes the volume's storage again when it says what changed.")
    int trust(
            @Mixin SiteOptions site,
            @Mixin Confirmation confirmation,
            @Parameters(paramLabel = "VOLUME", description = VOLUME) String volume)
            throws ClientException {
        confirmation.confirm(site, "changes that the storage of %s leaves out will be missed".formatted(volume));
        return site.show(site.client().post("/v1/volumes/" + segment(volume) + "/tracking/trust", Map.of()));
    }

    @Command(
            name = "storage-replication",
            description = "Shows the replication that a volume's storage does by itself.")
    int storageReplication(
            @Mixin SiteOptions site, @Parameters(paramLabel = "VOLUME", description = VOLUME) String volume)
            throws ClientException {
        return site.show(site.client().get(storageReplicationOf(volume)));
    }

    private static String storageReplicationOf(String volume) {
        return "/v1/volumes/" + segment(volume) + "/storage-replication";
    }

    @Command(
            name = "start-storage-replication",
            description = "Has the storage replicate a volume to another region by itself.")
    int startStorageReplication(
            @Mixin SiteOptions site,
            @Mixin WaitOptions waiting,
            @Parameters(paramLabel = "VOLUME", description = VOLUME) String volume,
            @Option(
                            names = "--to",
                            required = true,
                            paramLabel = "VOLUME",
                            description = "Of the same provider, in another region; made where there is none.")
                    String secondary)
            throws ClientException {
        var operation = site.client().post(storageReplicationOf(volume) + "/start", Map.of("secondary", secondary));
        return waiting.finish(site, operation, (to, result) -> to.show(result.at("storageReplication")));
    }

    @Command(
            name = "stop-storage-replication",
            description = "Stops for good the replication that a volume's storage does by itself.")
    int stopStorageReplication(
            @Mixin SiteOptions site,
            @Mixin WaitOptions waiting,
            @Parameters(paramLabel = "VOLUME", description = VOLUME) String volume,
            @Option(names = "--whole-group", description = "All pairs of the volume's consistency group.")
                    boolean wholeGroup,
            @Option(
                            names = "--yes-new-secondary",
                            description = "It is known that what was stopped cannot go on: a new secondary is needed.")
                    boolean accepted)
            throws ClientException {
        if (!accepted) {
            var cost = site.client()
                    .get(storageReplicationOf(volume))
                    .at("costOfStop")
                    .text();
            throw new ParameterException(
                    site.spec().commandLine(), "%s; say --yes-new-secondary when that is meant".formatted(cost));
        }
        var operation = site.client()
                .post(
                        storageReplicationOf(volume) + "/stop",
                        Map.of("newSecondaryAccepted", true, "wholeGroup", wholeGroup));
        return waiting.finish(site, operation, (to, result) -> to.show(result.at("storageReplication")));
    }

    @Command(name = "delete", description = "Removes a volume and its data; it must have no snapshots.")
    int delete(
            @Mixin SiteOptions site,
            @Mixin Confirmation confirmation,
            @Parameters(paramLabel = "VOLUME", description = VOLUME) String volume)
            throws ClientException {
        confirmation.confirm(site, "all data of volume %s will be lost".formatted(volume));
        var answer = site.client().delete("/v1/volumes/" + segment(volume));
        return site.say("volume %s deleted".formatted(volume), answer);
    }
}

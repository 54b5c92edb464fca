package io.tidemark.cli;

import static io.tidemark.client.SiteClient.segment;

import io.tidemark.cli.Table.Column;
import io.tidemark.client.ClientException;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
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

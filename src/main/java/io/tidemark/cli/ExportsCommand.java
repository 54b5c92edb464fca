package io.tidemark.cli;

import static io.tidemark.client.SiteClient.segment;

import io.tidemark.cli.Table.Column;
import io.tidemark.client.ClientError;
import io.tidemark.client.ClientException;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "exports",
        description = "Snapshots and volumes served as network block devices (NBD).",
        addMethodSubcommands = false)
final class ExportsCommand extends ResourceCommand {
    private static final String EXPORT = "Export's id, like ex-….";
    private static final List<Column> COLUMNS = List.of(
            Column.text("ID", "id"),
            Column.text("SOURCE", "source"),
            Column.text("ACCESS", "access"),
            Column.size("SIZE", "sizeBytes"),
            Column.text("CLIENTS", "connectionCount"),
            Column.text("URI", "uri"));

    @Command(name = "list", description = "Lists exports; those over an overlay end with the site's process.")
    int list(@Mixin SiteOptions site) throws ClientException {
        return site.show(site.client().get("/v1/exports").at("items").items(), COLUMNS);
    }

    @Command(
            name = "create",
            description = {
                "Serves a snapshot, all snapshots of a recovery point, or a volume, at once, whatever its size;",
                "prints where, for nbdcopy, qemu-img or nbd-client."
            })
    int create(
            @Mixin SiteOptions site,
            @Parameters(
                            paramLabel = "SOURCE",
                            description = "Snapshot's id (image:orders@rp-…), recovery point's (rp-…) or volume's.")
                    String source,
            @Option(
                            names = "--overlay",
                            description = "Of a snapshot: let clients write what is thrown away with the export.")
                    boolean overlay,
            @Option(
                            names = "--writable",
                            description = "Of a volume: needed, for clients write the volume itself, and nobody else.")
                    boolean writable)
            throws ClientException {
        if (overlay && writable) {
            throw new ClientException(new ClientError.Unusable(
                    "--overlay and --writable exclude each other",
                    "--overlay for a snapshot or recovery point, --writable for a volume"));
        }
        String access = overlay ? "OVERLAY" : writable ? "WRITABLE" : "READ_ONLY";
        var made = site.client().post("/v1/exports", Map.of("source", source, "access", access));
        return site.show(made.at("items").items(), COLUMNS);
    }

    @Command(name = "show", description = "Shows one export.")
    int show(@Mixin SiteOptions site, @Parameters(paramLabel = "EXPORT", description = EXPORT) String export)
            throws ClientException {
        return site.show(site.client().get("/v1/exports/" + segment(export)));
    }

    @Command(
            name = "remove",
            aliases = "delete",
            description = "Ends an export and its clients; what was written to an overlay is thrown away.")
    int remove(@Mixin SiteOptions site, @Parameters(paramLabel = "EXPORT", description = EXPORT) String export)
            throws ClientException {
        var answer = site.client().delete("/v1/exports/" + segment(export));
        boolean ending = answer.at("ending").truth();
        return site.say("export %s %s".formatted(export, ending ? "is ending" : "removed"), answer);
    }
}

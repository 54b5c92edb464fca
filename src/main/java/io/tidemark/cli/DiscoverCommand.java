package io.tidemark.cli;

import io.tidemark.client.ClientError;
import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import io.tidemark.discovery.Discovery;
import io.tidemark.discovery.Discovery.Place;
import io.tidemark.discovery.Discovery.Server;
import io.tidemark.discovery.GroupProposal;
import io.tidemark.discovery.KnownVolume;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "discover",
        description = {
            "Finds the database servers that run on this host, their files and the volumes these lie on, and prints a group"
                    + " for 'groups create -f'. What it could not find is said in comments. Asks the site for its volumes,"
                    + " and no server for anything; changes nothing. Run it as root: it reads /proc."
        })
final class DiscoverCommand implements Callable<Integer> {
    /** Far more than any host has. */
    private static final int VOLUMES_MAXIMUM = 100_000;

    @Mixin
    private SiteOptions site = new SiteOptions();

    @Option(
            names = "--group",
            paramLabel = "ID",
            defaultValue = "databases",
            description = "Id of the group; default: databases.")
    private String group = "databases";

    @Option(names = "--pid", paramLabel = "PID", description = "Only this server's process; may be repeated.")
    private List<Integer> pids = List.of();

    @Option(names = "--offline", description = "Do not ask the site: devices stand in the place of volumes.")
    private boolean offline;

    @Override
    public Integer call() throws ClientException {
        Optional<List<KnownVolume>> volumes = Optional.empty();
        var silence = "it was not asked";
        if (!offline) {
            try {
                volumes = Optional.of(site.client().list("/v1/volumes", VOLUMES_MAXIMUM).stream()
                        .map(DiscoverCommand::volume)
                        .toList());
            } catch (ClientException e) {
                silence = e.error().message();
            }
        }
        var proposal = new GroupProposal(group, servers(volumes), volumes.isPresent(), silence);
        if (site.json()) {
            site.out().println(document(proposal).pretty());
        } else {
            site.out().print(proposal.yaml());
            site.out().flush();
        }
        return proposal.members().isEmpty() ? ExitCode.NOT_FOUND : ExitCode.OK;
    }

    private List<Server> servers(Optional<List<KnownVolume>> volumes) throws ClientException {
        try {
            return new Discovery(Path.of("/proc"), Path.of("/sys"), volumes)
                    .find(pid -> pids.isEmpty() || pids.contains(pid));
        } catch (IOException e) {
            throw new ClientException(
                    new ClientError.Unusable(
                            "/proc cannot be read: " + e.getMessage(), "run this on the host itself, as root"),
                    e);
        }
    }

    private static KnownVolume volume(Json volume) {
        return new KnownVolume(
                volume.at("id").text(),
                volume.at("device").optional().map(Path::of),
                volume.at("mountPoints").items().stream()
                        .map(point -> Path.of(point.text()))
                        .toList(),
                volume.at("capabilities").items().stream()
                        .anyMatch(capability -> capability.text().equals("FILES")));
    }

    private static Json document(GroupProposal proposal) {
        Map<String, @Nullable Object> document = new LinkedHashMap<>();
        document.put("group", proposal.members().isEmpty() ? null : proposal.fields());
        document.put("volumesKnown", proposal.asked());
        document.put(
                "servers",
                proposal.servers().stream().map(DiscoverCommand::server).toList());
        return Json.of(document);
    }

    private static Map<String, Object> server(Server server) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("kind", server.kind());
        fields.put("pid", server.pid());
        fields.put("settings", server.settings());
        fields.put("settingsToComplete", server.toComplete());
        fields.put(
                "places", server.places().stream().map(DiscoverCommand::place).toList());
        fields.put("notes", server.notes());
        fields.put("leftOutBecause", server.lacks());
        return fields;
    }

    private static Map<String, Object> place(Place place) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("path", place.path().toString());
        fields.put("what", place.what());
        fields.put("mountPoint", place.mountPoint().toString());
        fields.put("fileSystem", place.fileSystem());
        fields.put("source", place.source());
        fields.put("chain", place.chain().stream().map(Path::toString).toList());
        place.volume().ifPresent(volume -> fields.put("volume", volume));
        return fields;
    }
}

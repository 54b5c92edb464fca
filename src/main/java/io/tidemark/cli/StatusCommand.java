package io.tidemark.cli;

import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(name = "status", description = "One look at a site: does it serve, what runs, is every link in step.")
final class StatusCommand implements Callable<Integer> {
    private static final int SHOWN_MAXIMUM = 1000;

    @Mixin
    private SiteOptions site = new SiteOptions();

    @Override
    public Integer call() throws ClientException {
        var client = site.client();
        Map<String, @Nullable Object> status = new LinkedHashMap<>();
        status.put("url", client.base());
        status.put("version", client.get("/v1/version").at("version").text());
        status.put("ready", client.get("/v1/ready").at("status").text());
        status.put("volumes", client.list("/v1/volumes", SHOWN_MAXIMUM).size());
        status.put("groups", client.list("/v1/groups", SHOWN_MAXIMUM).size());
        status.put("peers", client.list("/v1/peers", SHOWN_MAXIMUM).size());
        status.put(
                "running operations",
                client.list("/v1/operations?state=RUNNING", SHOWN_MAXIMUM).size());
        var links = client.list("/v1/links", SHOWN_MAXIMUM);
        status.put("links", links.stream().map(StatusCommand::link).toList());
        return site.show(Json.of(status));
    }

    private static Map<String, @Nullable Object> link(Json link) {
        Map<String, @Nullable Object> shown = new LinkedHashMap<>();
        for (var name : List.of("id", "role", "peer", "volume", "inStep", "consecutiveFailures")) {
            shown.put(name, link.at(name).raw());
        }
        return shown;
    }
}

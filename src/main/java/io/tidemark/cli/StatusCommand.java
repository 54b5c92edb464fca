package io.tidemark.cli;

import io.tidemark.client.ClientError;
import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "status", description = "One look at a site: does it serve, what runs, is every link in step.")
final class StatusCommand implements Callable<Integer> {
    private static final int SHOWN_MAXIMUM = 1000;
    private static final Duration POLL = Duration.ofMillis(100);

    @Mixin
    private SiteOptions site = new SiteOptions();

    @Option(
            names = "--wait",
            paramLabel = "TIME",
            defaultValue = "0s",
            converter = Units.DurationConverter.class,
            description = "How long to wait for the site to serve, like 30s; default: not at all.")
    private Duration patience = Duration.ZERO;

    @Override
    public Integer call() throws ClientException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (true) {
            try {
                return site.show(Json.of(look()));
            } catch (ClientException e) {
                if (System.nanoTime() >= deadline || !mayPass(e.error())) {
                    throw e;
                }
            }
            try {
                Thread.sleep(POLL);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return ExitCode.UNREACHABLE;
            }
        }
    }

    /** While a site starts, it does not listen, has no token yet, or says that it is not ready. */
    private static boolean mayPass(ClientError error) {
        return error instanceof ClientError.Unreachable
                || error instanceof ClientError.Unusable
                || ExitCode.of(error) == ExitCode.TRY_LATER;
    }

    private Map<String, @Nullable Object> look() throws ClientException {
        var client = site.client();
        Map<String, @Nullable Object> status = new LinkedHashMap<>();
        status.put("url", client.base());
        var version = client.get("/v1/version");
        status.put("version", version.at("version").text());
        status.put("fingerprint", version.at("fingerprint").text());
        status.put("ready", client.get("/v1/ready").at("status").text());
        Map<String, @Nullable Object> unlisted = new TreeMap<>();
        status.put(
                "volumes",
                client.list("/v1/volumes", SHOWN_MAXIMUM, unlisted::put).size());
        if (!unlisted.isEmpty()) {
            status.put("volumes not counted", unlisted);
        }
        var agents = client.get("/v1/agents").at("items").items();
        status.put("agents", agents.size());
        status.put(
                "agents lost",
                agents.stream()
                        .filter(agent -> agent.at("state").text().equals("LOST"))
                        .map(agent -> agent.at("id").text())
                        .toList());
        status.put("groups", client.list("/v1/groups", SHOWN_MAXIMUM).size());
        status.put("peers", client.list("/v1/peers", SHOWN_MAXIMUM).size());
        status.put(
                "running operations",
                client.list("/v1/operations?state=RUNNING", SHOWN_MAXIMUM).size());
        var links = client.list("/v1/links", SHOWN_MAXIMUM);
        status.put("links", links.stream().map(StatusCommand::link).toList());
        return status;
    }

    private static Map<String, @Nullable Object> link(Json link) {
        Map<String, @Nullable Object> shown = new LinkedHashMap<>();
        for (var name : List.of("id", "role", "peer", "volume", "inStep", "consecutiveFailures")) {
            shown.put(name, link.at(name).raw());
        }
        return shown;
    }
}

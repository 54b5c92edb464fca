package io.tidemark.system.kill;

import io.tidemark.client.ClientError;
import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import io.tidemark.client.Operations;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One end of the link: a site and its volume. Which end is the source changes with every reversal. */
record LinkSide(RunningSite site, String volume, String link) {
    private static final Duration DEATH_LIMIT = Duration.ofSeconds(60);
    private static final Duration POLL = Duration.ofMillis(10);
    private static final int LIST_MAXIMUM = 10_000;

    Json document() throws ClientException, IOException {
        return site.client().get("/v1/links/" + link);
    }

    String role() throws ClientException, IOException {
        return document().at("role").text();
    }

    String state() throws ClientException, IOException {
        return document().at("state").text();
    }

    Optional<String> inStep() throws ClientException, IOException {
        return document().at("inStep").optional();
    }

    /** Stays where it is while its site is dead. */
    Path image() throws ClientException, IOException {
        return Path.of(
                site.client().get(Replicated.volumePath(volume)).at("device").text());
    }

    /** Of the recovery point's bytes, read from a clone of it. */
    String digest(String recoveryPoint) throws ClientException, IOException {
        var client = site.client();
        String clone = client.post(
                        "/v1/recovery-points/" + recoveryPoint + "/clones",
                        Map.of("volume", volume, "name", Replicated.CHECKED))
                .at("id")
                .text();
        Replicated.await(client, clone);
        String digest = Replicated.digest(Path.of(client.get(Replicated.volumePath(Replicated.CHECKED))
                .at("device")
                .text()));
        client.delete(Replicated.volumePath(Replicated.CHECKED));
        return digest;
    }

    /** Asks the link for something; the operation's id. */
    String ask(String what, Map<String, ?> body) throws ClientException, IOException {
        return site.client()
                .post("/v1/links/" + link + "/" + what, body)
                .at("id")
                .text();
    }

    void pace(String rate) throws ClientException, IOException {
        site.client().put("/v1/links/" + link + "/settings", Map.of("rateLimit", rate));
    }

    void pause() throws ClientException, IOException {
        site.client().post("/v1/links/" + link + "/pause");
    }

    void resume() throws ClientException, IOException {
        site.client().post("/v1/links/" + link + "/resume");
    }

    /** Takes a recovery point of the link's group; its id. */
    String take() throws ClientException, IOException {
        String group = document().at("group").text();
        String operation = site.client()
                .post("/v1/groups/" + group + "/recovery-points", Map.of())
                .at("id")
                .text();
        return Operations.result(Replicated.await(site.client(), operation))
                .at("recoveryPoint", "id")
                .text();
    }

    Json succeeded(String operation) throws ClientException, IOException {
        return Replicated.await(site.client(), operation);
    }

    /** Waits for the operation's end; its problem's code, or empty when it succeeded. */
    Optional<String> problem(String operation) throws ClientException, IOException {
        try {
            succeeded(operation);
            return Optional.empty();
        } catch (ClientException e) {
            if (!(e.error() instanceof ClientError.OperationFailed)) {
                throw e;
            }
            var document = site.client().get("/v1/operations/" + operation);
            String problem = document.at("problem", "type").optional().orElse(document.toString());
            return Optional.of(problem.substring(problem.lastIndexOf('/') + 1));
        }
    }

    /** What a resync kept of the volume. */
    List<String> kept() throws ClientException, IOException {
        return site.client().list("/v1/recovery-points", LIST_MAXIMUM).stream()
                .filter(point -> point.at("group").text().equals("kept"))
                .map(point -> point.at("id").text())
                .toList();
    }

    /** @return the status of the answer */
    int delete(String recoveryPoint) throws ClientException, IOException {
        try {
            site.client().delete("/v1/recovery-points/" + recoveryPoint);
            return 204;
        } catch (ClientException e) {
            if (e.error() instanceof ClientError.Refused refused) {
                return refused.status();
            }
            throw e;
        }
    }

    /** Waits until the process has ended itself. */
    void awaitDeath() throws InterruptedException {
        long deadline = System.nanoTime() + DEATH_LIMIT.toNanos();
        while (site.alive()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("the site lives on: its moment was not reached");
            }
            Thread.sleep(POLL);
        }
    }
}

package io.tidemark.quickstart;

import io.tidemark.client.Json;
import io.tidemark.client.SiteClient;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The main job, step by step. */
final class Scenario {
    static final String VOLUME = "image:orders";
    static final String COPY = "image:orders-copy";
    static final String DRILL = "image:orders-drill";
    static final String GROUP = "orders";

    /** So that incrementals have something to send, and the writer leaves marks on both sides of the cut. */
    private static final int WRITE_SECONDS = 5;

    private static final long INVITATION_MILLIS = 600_000;
    private static final long FREEZE_LIMIT_MILLIS = 10_000;

    private final DemoFolder demo;
    private final Programs programs;
    private final Cleanup cleanup;
    private final Narrator narrator;
    private final Outcome outcome;

    Scenario(DemoFolder demo, Programs programs, Cleanup cleanup, Narrator narrator, Outcome outcome) {
        this.demo = demo;
        this.programs = programs;
        this.cleanup = cleanup;
        this.narrator = narrator;
        this.outcome = outcome;
    }

    /** What is left running at the end. */
    record Sites(DemoSite source, DemoSite target, String link) {}

    /** @param ownDatabase whether a PostgreSQL that is installed here may be used; else one is fetched */
    Sites run(boolean mayMount, boolean ownDatabase) throws QuickstartException {
        var pool = pool(mayMount);
        narrator.step("Starting two sites, each a process with its own state, keys and ports");
        var starting = List.of(DemoSite.start(demo, programs, pool, "a"), DemoSite.start(demo, programs, pool, "b"));
        var source = DemoSite.await(starting.get(0));
        var target = DemoSite.await(starting.get(1));
        narrator.say("%s at %s, %s at %s", source.name(), source.url(), target.name(), target.url());

        var workload = workload(pool, ownDatabase);
        startWriting(source, workload);
        takeRecoveryPoint(source, workload, "Taking a recovery point while the writer writes");

        narrator.step("Pairing the sites by an invitation, linking the volume, sending the first copy");
        String link = link(source, target);
        var first =
                source.operate("/v1/links/%s/syncs".formatted(link), Map.of()).at("report");
        outcome.firstCopy(first);
        narrator.say("%s", Outcome.sentence(first));

        narrator.step("Letting the writer and some load run for %d s".formatted(WRITE_SECONDS));
        workload.writeMore(WRITE_SECONDS);
        workload.check();
        narrator.say("%d numbers acknowledged so far", workload.log().last());

        var second = takeRecoveryPoint(source, workload, "Taking a second recovery point");
        narrator.step("Sending only what changed");
        var incremental =
                source.operate("/v1/links/%s/syncs".formatted(link), Map.of()).at("report");
        outcome.incremental(incremental);
        narrator.say("%s", Outcome.sentence(incremental));

        prove(target, workload, second);
        workload.check();
        workload.stopWriting();
        return new Sites(source, target, link);
    }

    private StoragePool pool(boolean mayMount) throws QuickstartException {
        narrator.step("Making room for the volumes in " + demo.path());
        var pool = mayMount
                ? StoragePool.make(demo, programs)
                : StoragePool.plain(demo, "nothing can be mounted without root");
        if (pool.mounted()) {
            narrator.say("a small %s, mounted from a file", pool.kind());
        } else {
            narrator.say("no file system of our own: %s", pool.note());
            outcome.leftOut("a file system that snapshots in constant time: " + pool.note());
        }
        return pool;
    }

    private Workload workload(StoragePool pool, boolean ownDatabase) throws QuickstartException {
        if (pool.mounted()) {
            return new DatabaseWorkload(demo, programs, cleanup, narrator, database(ownDatabase));
        }
        outcome.leftOut("database and file system, so also their freeze: nothing can be mounted;"
                + " a block writer stands in");
        return new BlockWorkload(cleanup, narrator);
    }

    private PostgresPrograms database(boolean ownDatabase) throws QuickstartException {
        Optional<PostgresPrograms> installed = ownDatabase ? PostgresPrograms.find() : Optional.empty();
        if (installed.isPresent()) {
            return installed.get();
        }
        narrator.step("Fetching a PostgreSQL from Maven Central");
        return EmbeddedPostgres.fetch(demo, programs, narrator, Programs.Account.ofDatabase());
    }

    private void startWriting(DemoSite source, Workload workload) throws QuickstartException {
        narrator.step("Making volume %s and what writes to it".formatted(VOLUME));
        var volume = source.post("/v1/volumes", Map.of("id", VOLUME, "sizeBytes", workload.volumeBytes()));
        workload.start(device(volume));
        Map<String, Object> group = new LinkedHashMap<>();
        group.put("id", GROUP);
        group.put("volumes", List.of(VOLUME));
        group.put("quiescers", workload.quiescers());
        group.put("freezeFileSystems", true);
        group.put("freezeLimitMillis", FREEZE_LIMIT_MILLIS);
        source.post("/v1/groups", group);
    }

    private static Path device(Json volume) throws QuickstartException {
        return Path.of(volume.at("device")
                .optional()
                .orElseThrow(() -> new QuickstartException("the site names no device of the volume: " + volume)));
    }

    private Json takeRecoveryPoint(DemoSite source, Workload workload, String title) throws QuickstartException {
        narrator.step(title);
        workload.writeMore(1);
        var point = source.operate("/v1/groups/%s/recovery-points".formatted(GROUP), Map.of())
                .at("recoveryPoint");
        // Writes that were under way when it thawed must have had their answer before latencies are judged.
        workload.writeMore(1);
        workload.check();
        var cut = Workload.Cut.of(point);
        double stall = workload.log().worstNanosBetween(cut.fromNanos(), cut.releasedNanos()) / 1e6;
        outcome.recoveryPoint(point, stall);
        var window = point.at("freezeWindowMillis");
        narrator.say(
                "%s: consistency %s, frozen for %s, the writer's worst latency around it %.0f ms",
                point.at("id").text(),
                point.at("consistency").text(),
                window.isNumber() ? window.number() + " ms" : "0 ms (nothing to freeze)",
                stall);
        point.at("certificate", "reasons")
                .items()
                .forEach(reason -> narrator.say("not more, because %s", reason.text()));
        return point;
    }

    private String link(DemoSite source, DemoSite target) throws QuickstartException {
        var invitation = target.post("/v1/invitations", Map.of("peer", "site-a", "validMillis", INVITATION_MILLIS));
        source.post(
                "/v1/peers",
                Map.of("id", "site-b", "token", invitation.at("token").text()));
        var link = source.post(
                "/v1/links", Map.of("peer", "site-b", "group", GROUP, "volume", VOLUME, "peerVolume", COPY));
        return link.at("id").text();
    }

    private void prove(DemoSite target, Workload workload, Json point) throws QuickstartException {
        narrator.step("On site-b: cloning the newest recovery point, recovering it, and checking what it holds");
        String id = point.at("id").text();
        var received = target.get("/v1/recovery-points/" + SiteClient.segment(id));
        String member = received.at("members").items().getFirst().at("volume").text();
        long asked = System.nanoTime();
        var clone = target.operate(
                        "/v1/recovery-points/%s/clones".formatted(SiteClient.segment(id)),
                        Map.of("volume", member, "name", DRILL))
                .at("volume");
        var proof = workload.prove(device(clone), Workload.Cut.of(point), asked);
        outcome.proved(proof);
        narrator.say(
                "recovered in %.2f s; of %d numbers acknowledged before the freeze %d are lost; %d are from after it",
                proof.recoveryMillis() / 1_000, proof.acknowledged(), proof.lost(), proof.fromTheFuture());
        proof.checks().forEach(check -> narrator.say("clean: %s", check));
        if (!proof.holds()) {
            throw new QuickstartException(
                    "the copy is not right: %d lost, %d from after the freeze"
                            .formatted(proof.lost(), proof.fromTheFuture()),
                    "please report this with the sites' logs");
        }
    }
}

package io.tidemark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.client.Json;
import io.tidemark.discovery.Discovery;
import io.tidemark.discovery.GroupProposal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ClientCommandsTest extends TypedAtSite {
    private static final String RUNNING = """
        {"id":"op-1","kind":"sync","subject":"ln-1","state":"RUNNING",
         "progress":{"phase":"send","doneUnits":1,"totalUnits":4,"unit":"bytes"}}\
        """;

    @Test
    void listsVolumesAsATableWithReadableSizes() {
        site.on("GET /v1/volumes?limit=200", 200, """
            {"items":[{"id":"image:orders","sizeBytes":4294967296,"mountPoints":["/mnt/a"],"device":"/x/orders"},
                      {"id":"btrfs:home","sizeBytes":0,"mountPoints":["/srv/home"]},
                      {"id":"image:b","sizeBytes":512,"mountPoints":[]}]}\
            """);

        var typed = typed("volumes", "list");

        assertThat(typed.exit()).isZero();
        assertThat(typed.out()).isEqualTo("""
            ID               SIZE  MOUNTED AT  DEVICE
            image:orders  4.0 GiB  /mnt/a      /x/orders
            btrfs:home          -  /srv/home   -
            image:b         512 B  -           -
            """);
        assertThat(site.last().token()).isEqualTo("Bearer secret-token");
    }

    @Test
    void followsPagesToTheirEnd() {
        site.on("GET /v1/groups?limit=200", 200, "{\"items\":[{\"id\":\"a\"}],\"nextCursor\":\"x_1\"}");
        site.on("GET /v1/groups?limit=200&cursor=x_1", 200, "{\"items\":[{\"id\":\"b\"}]}");

        var typed = typed("groups", "list", "--json");

        assertThat(typed.out()).contains("\"a\"", "\"b\"");
    }

    @Test
    void fetchesNoMoreThanTheLimit() {
        site.on("GET /v1/peers?limit=1", 200, "{\"items\":[{\"id\":\"a\"}],\"nextCursor\":\"x\"}");

        var typed = typed("peers", "list", "--limit", "1");

        assertThat(typed.exit()).isZero();
        assertThat(site.asked()).hasSize(1);
    }

    @Test
    void quietListsAreIdsAloneForScripts() {
        site.on("GET /v1/recovery-points?limit=1", 200, "{\"items\":[{\"id\":\"rp-2\",\"group\":\"g\"}]}");

        assertThat(typed("recovery-points", "list", "-q", "--limit", "1").out()).isEqualTo("rp-2\n");
    }

    @Test
    void statusWaitsForASiteThatStarts() {
        site.on("GET /v1/version", 503, "{\"title\":\"Starting\"}").on("GET /v1/version", 404, "{\"title\":\"Gone\"}");

        assertThat(typed("status", "--wait", "5s").exit()).isEqualTo(ExitCode.NOT_FOUND);
        assertThat(site.asked()).hasSize(2);
    }

    @Test
    void percentEncodesIdsInPaths() {
        site.on("GET /v1/volumes/image%3Aa%2Fb", 200, "{\"id\":\"image:a/b\",\"sizeBytes\":4096}");

        var typed = typed("volumes", "show", "image:a/b");

        assertThat(typed.out()).contains("id:").contains("image:a/b").contains("4.0 KiB (4096)");
    }

    @Test
    void createsAVolumeOfASizeWithUnit() throws IOException {
        site.on("POST /v1/volumes", 201, "{\"id\":\"image:a\"}");

        var typed = typed("volumes", "create", "image:a", "--size", "1.5GiB");

        assertThat(typed.exit()).isZero();
        var body = Json.parse(site.last().body());
        assertThat(body.at("sizeBytes").number()).isEqualTo(1_610_612_736L);
        assertThat(site.last().idempotencyKey()).matches("[0-9a-f]{32}");
    }

    @Test
    void waitsForAVolumeThatTakesLongToBeMade() {
        site.on("POST /v1/volumes", 202, RUNNING.replace("sync", "create-volume"));

        var typed = typed("volumes", "create", "lvm:a", "--size", "1TiB", "--no-wait");

        assertThat(typed.exit()).isZero();
        assertThat(typed.out()).contains("op-1");
    }

    @Test
    void waitsForAnOperationAndShowsItsResult() {
        site.on("POST /v1/links/ln-1/syncs", 202, RUNNING);
        site.on("GET /v1/operations/op-1", 200, RUNNING);
        site.on("GET /v1/operations/op-1", 200, """
            {"id":"op-1","kind":"sync","state":"SUCCEEDED","progress":{},
             "result":{"report":{"changedBytes":8192,"durationMillis":1500}}}\
            """);

        var typed = typed("links", "sync", "ln-1");

        assertThat(typed.exit()).isZero();
        assertThat(typed.out()).contains("changed:").contains("8.0 KiB (8192)").contains("1.5 s");
    }

    @Test
    void doesNotWaitWhenToldNotTo() {
        site.on("POST /v1/groups/orders/recovery-points", 202, RUNNING);

        var typed = typed("recovery-points", "create", "orders", "--no-wait");

        assertThat(typed.out()).isEqualTo("op-1\n");
        assertThat(site.asked()).hasSize(1);
    }

    @Test
    void saysSoWhenAnOperationStillRunsAtTheTimeout() {
        site.on("POST /v1/groups/orders/recovery-points", 202, RUNNING);
        site.on("GET /v1/operations/op-1", 200, RUNNING);

        var typed = typed("recovery-points", "create", "orders", "--timeout", "50ms");

        assertThat(typed.exit()).isEqualTo(ExitCode.STILL_RUNNING);
        assertThat(typed.err()).contains("operation op-1 still runs").contains("tidemark operations watch op-1");
    }

    @Test
    void aFailedOperationEndsWithItsReasonAndAdvice() {
        site.on("POST /v1/groups/orders/recovery-points", 202, RUNNING);
        site.on("GET /v1/operations/op-1", 200, """
            {"id":"op-1","state":"FAILED","problem":{"title":"Freeze refused","detail":"database db1 is down",
             "advice":"start it"}}\
            """);

        var typed = typed("recovery-points", "create", "orders");

        assertThat(typed.exit()).isEqualTo(ExitCode.OPERATION_FAILED);
        assertThat(typed.err())
                .contains("operation op-1 ended FAILED: database db1 is down")
                .contains("start it");
    }

    @Test
    void whatMayStillBeHeldIsToldAtOnce() {
        site.on("POST /v1/groups/orders/recovery-points", 202, RUNNING);
        site.on("GET /v1/operations/op-1", 200, """
            {"id":"op-1","state":"SUCCEEDED","result":{"recoveryPoint":{"id":"rp-1","consistency":"APPLICATION",
             "evidence":{"plan_warnings":"nobody checked\\nsomething else"},
             "certificate":{"reasons":[],"freezes":[
              {"kind":"command","subject":"orders","facts":{"thawError":"failed 3 times"}}]}}}}\
            """);

        assertThat(typed("recovery-points", "create", "orders").out())
                .contains("warning:      nobody checked\n")
                .contains("warning:      something else\n")
                .contains("STILL HELD?   command orders: its thaw program failed 3 times");
    }

    @Test
    void listWithoutSomebodysPartSaysSoAndIsNoSuccess() {
        site.on("GET /v1/volumes?limit=200", 200, """
            {"items":[{"id":"image:orders","sizeBytes":1}],
             "unlisted":[{"provider":"ebs","reason":"no credentials"},
              {"agent":"db1","reason":"it is not connected"}]}\
            """);

        var typed = typed("volumes", "list", "--quiet");

        assertThat(typed.exit()).isEqualTo(ExitCode.INCOMPLETE);
        assertThat(typed.out()).contains("image:orders");
        assertThat(typed.err())
                .contains("nothing of agent db1 is listed: it is not connected")
                .contains("nothing of provider ebs is listed: no credentials");
    }

    @Test
    void certificateThatIsNotThereIsTold() {
        var typed = Typed.run("recovery-points", "verify-certificate", "/nonexistent.json");

        assertThat(typed.exit()).isEqualTo(ExitCode.REFUSED);
        assertThat(typed.err()).contains("/nonexistent.json does not exist");
    }

    @Test
    void aCopyThatDiffersIsNotASuccess() {
        site.on("POST /v1/links/ln-1/verifications", 202, RUNNING);
        site.on("GET /v1/operations/op-1", 200, """
            {"id":"op-1","state":"SUCCEEDED","result":{"report":{"differingBlocks":2}}}\
            """);

        assertThat(typed("links", "verify", "ln-1").exit()).isEqualTo(ExitCode.OPERATION_FAILED);
    }

    @Test
    void clonesTheOnlyMemberWithoutBeingTold() throws IOException {
        site.on("GET /v1/recovery-points/rp-1", 200, "{\"members\":[{\"volume\":\"image:a\"}]}");
        site.on("POST /v1/recovery-points/rp-1/clones", 202, RUNNING);
        site.on("GET /v1/operations/op-1", 200, """
            {"id":"op-1","state":"SUCCEEDED","result":{"volume":{"id":"image:new","device":"/v/new"}}}\
            """);

        var typed = typed("recovery-points", "clone", "rp-1", "image:new");

        assertThat(typed.out()).contains("/v/new");
        assertThat(Json.parse(site.asked().get(1).body()).at("volume").text()).isEqualTo("image:a");
    }

    @Test
    void copiesASnapshotUnderAKeyAndShowsTheCopy() throws IOException {
        site.on("POST /v1/snapshots/frankfurt%3Avol-1%40rp-1/copies", 202, RUNNING);
        site.on("GET /v1/operations/op-1", 200, """
            {"id":"op-1","state":"SUCCEEDED","result":{"snapshot":{"id":"ireland:vol-1@rp-1"}}}\
            """);

        var typed = typed("snapshots", "copy", "frankfurt:vol-1@rp-1", "--to", "ireland", "--key", "alias/backup");

        assertThat(typed.out()).contains("ireland:vol-1@rp-1");
        var asked = Json.parse(site.asked().getFirst().body());
        assertThat(asked.at("to").text()).isEqualTo("ireland");
        assertThat(asked.at("key").text()).isEqualTo("alias/backup");
    }

    @Test
    void stopsStorageReplicationOnlyOnceItsCostIsSaidToBeKnown() throws IOException {
        site.on("GET /v1/volumes/gce%3Aa%2Forders/storage-replication", 200, """
            {"volume":"gce:a/orders","state":"ACTIVE","costOfStop":"a new secondary disk is needed"}\
            """);
        site.on("POST /v1/volumes/gce%3Aa%2Forders/storage-replication/stop", 202, RUNNING);
        site.on("GET /v1/operations/op-1", 200, """
            {"id":"op-1","state":"SUCCEEDED","result":{"storageReplication":{"state":"STOPPED"}}}\
            """);

        var refused = typed("volumes", "stop-storage-replication", "gce:a/orders");
        assertThat(refused.err()).contains("a new secondary disk is needed; say --yes-new-secondary");
        assertThat(site.asked()).hasSize(1);

        var typed = typed("volumes", "stop-storage-replication", "gce:a/orders", "--yes-new-secondary");
        assertThat(typed.out()).contains("STOPPED");
        assertThat(site.asked().get(1).body()).contains("\"newSecondaryAccepted\":true");
    }

    @Test
    void makesAGroupFromOptionsOnTopOfAFile() throws IOException {
        site.on("POST /v1/groups", 201, "{\"id\":\"orders\"}");
        var file = Files.writeString(folder.resolve("group.yaml"), """
            id: from-file
            volumes: [image:a]
            freezeFileSystems: false
            """);

        var typed = typed(
                "groups",
                "create",
                "orders",
                "-f",
                file.toString(),
                "--freeze-limit",
                "5s",
                "--require",
                "application",
                "--quiescer",
                "postgresql:host=/run/pg,port=5432");

        assertThat(typed.err()).isEmpty();
        var body = Json.parse(site.last().body());
        assertThat(body.at("id").text()).isEqualTo("orders");
        assertThat(body.at("volumes").text()).isEqualTo("[\"image:a\"]");
        assertThat(body.at("freezeFileSystems").raw()).isEqualTo(false);
        assertThat(body.at("freezeLimitMillis").number()).isEqualTo(5000);
        assertThat(body.at("requireConsistency").text()).isEqualTo("APPLICATION");
        assertThat(body.at("quiescers")
                        .items()
                        .getFirst()
                        .at("settings", "port")
                        .text())
                .isEqualTo("5432");
    }

    @Test
    void settingsInAFileNeedNoQuotes() throws IOException {
        site.on("POST /v1/groups", 201, "{\"id\":\"orders\"}");
        var file = Files.writeString(folder.resolve("group.yaml"), """
            id: orders
            volumes: ["image:a"]
            quiescers:
              - kind: postgresql
                settings: {port: 5432}
            """);

        typed("groups", "create", "-f", file.toString());

        var quiescer = Json.parse(site.last().body()).at("quiescers").items().getFirst();
        assertThat(quiescer.at("kind").text()).isEqualTo("postgresql");
        assertThat(quiescer.at("settings", "port").raw()).isEqualTo("5432");
    }

    @Test
    void updatesOnlyWhatWasNamed() throws IOException {
        site.on(
                "GET /v1/groups/orders",
                200,
                "{\"id\":\"orders\",\"volumes\":[\"image:a\"],\"freezeLimitMillis\":10000}");
        site.on("PUT /v1/groups/orders", 200, "{\"id\":\"orders\"}");

        typed("groups", "update", "orders", "--no-freeze-file-systems");

        var body = Json.parse(site.last().body());
        assertThat(body.at("freezeLimitMillis").number()).isEqualTo(10_000);
        assertThat(body.at("freezeFileSystems").raw()).isEqualTo(false);
    }

    @Test
    void printsAnInvitationsTokenAloneSoThatItCanGoIntoAFile() {
        site.on("POST /v1/invitations", 201, "{\"peer\":\"b\",\"token\":\"tok\",\"expiresAt\":\"x\"}");

        assertThat(typed("invitations", "create", "b").out()).isEqualTo("tok\n");
    }

    @Test
    void readsAnInvitationFromAFile() throws IOException {
        site.on("POST /v1/peers", 201, "{\"id\":\"a\"}");
        var file = Files.writeString(folder.resolve("invitation"), "the-invitation-token\n");

        typed("peers", "accept", "a", "--invitation-file", file.toString());

        assertThat(Json.parse(site.last().body()).at("token").text()).isEqualTo("the-invitation-token");
    }

    @Test
    void optionsOfEveryCommandMayStandFirst() {
        site.on("GET /v1/operations/op-1", 200, RUNNING);

        var typed = Typed.run("--url", site.url(), "--token-file=" + token, "--json", "operations", "show", "op-1");

        assertThat(typed.exit()).isZero();
        assertThat(typed.out()).startsWith("{");
    }

    @Test
    void statusGathersOneLook() {
        site.on("GET /v1/version", 200, "{\"version\":\"0.1.0\"}")
                .on("GET /v1/ready", 200, "{\"status\":\"ready\"}")
                .on("GET /v1/volumes?limit=200", 200, "{\"items\":[{},{}]}")
                .on("GET /v1/groups?limit=200", 200, "{\"items\":[]}")
                .on("GET /v1/peers?limit=200", 200, "{\"items\":[]}")
                .on("GET /v1/operations?state=RUNNING&limit=200", 200, "{\"items\":[]}")
                .on("GET /v1/links?limit=200", 200, "{\"items\":[{\"id\":\"ln-1\",\"inStep\":\"rp-9\"}]}");
        site.on("GET /v1/agents", 200, """
            {"items":[{"id":"db1","state":"CONNECTED"},{"id":"db2","state":"LOST"}]}\
            """);

        assertThat(typed("status").out()).contains("ready", "volumes:                2", "rp-9", "db2");
    }

    @Test
    void theProgressLineShowsShareAndTotal() throws IOException {
        assertThat(ProgressBar.line(Json.parse(RUNNING)))
                .isEqualTo("sync send [########......................]  25 % of 4 B");
    }

    @Test
    void completionKnowsEveryCommand() {
        assertThat(Typed.run("completion", "bash").out()).contains("recovery-points", "--peer-volume");
        assertThat(Typed.run("completion", "zsh").out()).startsWith("autoload");
    }

    @Test
    void helpListsCommandsAndExitCodes() {
        var typed = Typed.run("--help");

        assertThat(typed.exit()).isZero();
        assertThat(typed.out()).contains("recovery-points", "Exit codes:", "the operation failed or was cancelled");
    }

    @Test
    void proposedGroupIsTakenAsItIs() throws IOException {
        site.on("POST /v1/groups", 201, "{\"id\":\"databases\"}");
        var server = new Discovery.Server(
                "postgresql",
                100,
                List.of(new Discovery.Place(
                        Path.of("/db/da#ta"),
                        "data directory",
                        Path.of("/db"),
                        "ext4",
                        "/dev/loop1",
                        List.of(Path.of("/dev/loop1")),
                        Optional.of("image:orders"))),
                Map.of("port", "5433", "socketFolder", "/run/a \"b\" # c"),
                Map.of("user", "yours: the one\nthat may"),
                List.of("a note: with a colon"),
                List.of());
        var leftOut = new Discovery.Server(
                "redis", 7, List.of(), Map.of(), Map.of(), List.of(), List.of("its files: unseen"));
        var proposal = new GroupProposal("databases", List.of(server, leftOut), true, "");
        var file = Files.writeString(folder.resolve("group.yaml"), proposal.yaml());

        var typed = typed("groups", "create", "-f", file.toString());

        assertThat(typed.exit()).isZero();
        assertThat(Json.parse(site.last().body()).raw()).isEqualTo(proposal.fields());
        assertThat(proposal.yaml())
                .contains(
                        "#       user: (yours: the one?that may)\n",
                        "# redis, process 7",
                        "#   left out of the group: its files: unseen");
    }

    @Test
    void settingsOfQuiescersAreShownByTheNamesThatAreWritten() {
        site.on("GET /v1/groups/orders", 200, """
            {"id":"orders","freezeLimitMillis":500,
             "quiescers":[{"kind":"postgresql","settings":{"passwordFile":"/etc/p","maxLagMillis":"500"}}]}\
            """);

        var typed = typed("groups", "show", "orders");

        assertThat(typed.out())
                .contains("passwordFile:", "maxLagMillis:", "freeze limit:")
                .doesNotContain("password file");
    }

    @Test
    void discoverWorksWithoutASite() {
        var typed = Typed.run("discover", "--url", "http://127.0.0.1:1", "--pid", "1", "--json");

        assertThat(typed.exit()).isEqualTo(4);
        assertThat(typed.out()).contains("\"volumesKnown\" : false", "\"servers\" : [ ]");
    }
}

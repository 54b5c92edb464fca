package io.tidemark.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.site.Protections;
import io.tidemark.site.TestSite;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Locks, archive, fast restores and recycle bin over the API; every answer is held against the contract. */
class ProtectionApiTest {
    @TempDir
    Path folder;

    private TestSite site;
    private ApiClient api;
    private String path = "";

    @BeforeEach
    void start() throws Exception {
        site = TestSite.in(folder);
        site.protections = Optional.of(new Protections());
        api = new ApiClient(site.recovered(), folder);
        api.post("/v1/volumes", "{'id':'memory:orders','sizeBytes':1048576}").is(201);
        var taken = api.succeeded(api.post("/v1/snapshots", "{'volume':'memory:orders'}"));
        var id = taken.at("/snapshot/id").asText();
        path = "/v1/snapshots/" + id.replace(":", "%3A").replace("@", "%40");
    }

    @AfterEach
    void stop() {
        api.close();
    }

    @Test
    void lockIsSetShownAndTakenOff() throws Exception {
        var asked = "{'mode':'COMPLIANCE','until':'2030-01-01T00:00:00Z','coolingOffHours':24}";
        api.put(path + "/lock", asked).is(200);

        var lock = api.get(path).is(200).json().path("lock");
        assertThat(lock.path("mode").asText()).isEqualTo("COMPLIANCE");
        assertThat(lock.path("until").asText()).isEqualTo("2030-01-01T00:00:00Z");
        assertThat(lock.path("fixedAt").asText()).isNotEmpty();
        api.delete(path).is(409);
        assertThat(api.delete(path + "/lock").is(200).json().has("lock")).isFalse();
    }

    @Test
    void lockThatIsNoneIsRefusedNamingTheField() throws Exception {
        var noTime = api.put(path + "/lock", "{'mode':'GOVERNANCE','until':'in a month, perhaps'}");
        assertThat(noTime.is(400).json().path("field").asText()).isEqualTo("until");
        var cooling = "{'mode':'GOVERNANCE','until':'2030-01-01T00:00:00Z','coolingOffHours':1}";
        assertThat(api.put(path + "/lock", cooling).is(400).json().path("field").asText())
                .isEqualTo("coolingOffHours");
        api.put(path + "/lock", "{'mode':'HARD','until':'2030-01-01T00:00:00Z'}")
                .is(400);
        api.put(path + "/tier", "{'tier':'STANDARD','days':0}").is(400);
        api.put(path + "/fast-restore", "{'zones':[]}").is(400);
        assertThat(site.protections.orElseThrow().locks).isEmpty();
    }

    /** Its storage was asked and gave no answer: whether anything is gone is not known, so it is not shown as whole. */
    @Test
    void recoveryPointWhoseDeletionIsNotAtItsEndIsToldToBeDeleted() throws Exception {
        api.post("/v1/groups", "{'id':'shop','volumes':['memory:orders']}").is(201);
        var point = api.succeeded(api.post("/v1/groups/shop/recovery-points"))
                .at("/recoveryPoint/id")
                .asText();
        var at = "/v1/recovery-points/" + point;
        site.refusal = Optional.of(new ProviderError.Unreachable("the cloud", "no answer within 30 s"));
        assertThat(api.delete(at).is(503).text()).contains("the cloud");

        var told = api.get(at).is(409).json();

        assertThat(told.path("type").asText()).endsWith("being-deleted");
        assertThat(told.path("detail").asText()).contains(point, "is being deleted");
        assertThat(told.path("advice").asText()).contains("wait, or delete it again");
        assertThat(api.get("/v1/recovery-points").is(200).json().path("items")).isEmpty();
        site.refusal = Optional.empty();
        api.delete("/v1/snapshots/memory%3Aorders%40" + point).is(409);
        api.delete(at).is(204);
        api.get(at).is(404);
    }

    @Test
    void archivingIsBegunAndShown() throws Exception {
        var begun = api.put(path + "/tier", "{'tier':'ARCHIVE'}").is(200).json();
        assertThat(begun.at("/tier/state").asText()).isEqualTo("ARCHIVING");
        assertThat(begun.at("/tier/percent").asInt()).isEqualTo(50);
        assertThat(api.put(path + "/tier", "{'tier':'STANDARD','days':3}")
                        .is(200)
                        .json()
                        .at("/tier/state")
                        .asText())
                .isEqualTo("RESTORING");
    }

    @Test
    void fastRestoresAreShownWithTheirCost() throws Exception {
        var shown =
                api.put(path + "/fast-restore", "{'zones':['a','b']}").is(200).json();

        assertThat(shown.at("/fastRestore/zones")).hasSize(2);
        assertThat(shown.at("/fastRestore/cost").asText()).isEqualTo("2 an hour");
    }

    @Test
    void whatIsInTheBinIsListedOfAProviderThatHasOne() throws Exception {
        api.post(path + "/undelete").is(404);
        api.delete(path).is(204);

        assertThat(api.get("/v1/recycle-bins/memory").is(200).json().path("items"))
                .hasSize(1);
        assertThat(api.get("/v1/recycle-bins/nowhere")
                        .is(400)
                        .json()
                        .path("allowed")
                        .asText())
                .isEqualTo("one of memory");
    }

    @Test
    void whatComesBackOutOfTheBinIsShown() throws Exception {
        var shown = api.get(path).is(200).json();
        api.delete(path).is(204);
        api.get(path).is(404);
        site.protections.orElseThrow().undeletion = snapshot -> site.providers
                .of(snapshot.volume())
                .cut(new CutRequest(snapshot.recoveryPoint(), List.of(snapshot.volume())));

        var back = api.post(path + "/undelete").is(200).json();

        assertThat(back.path("id")).isEqualTo(shown.path("id"));
        assertThat(api.get(path).is(200).json()).isEqualTo(back);
    }
}

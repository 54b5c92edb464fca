package io.tidemark.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.control.Observer;
import io.tidemark.control.OperationSettings;
import io.tidemark.site.TestSite;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A live link whose folder cannot be read: nobody knows which volume it replicates. */
class LiveUnreadApiTest {
    @TempDir
    Path folder;

    private TestSite site;
    private ApiClient api;

    @BeforeEach
    void start() throws Exception {
        site = TestSite.in(
                folder, InstantSource.system(), new OperationSettings(8, Duration.ofSeconds(5)), Observer.NONE);
        api = new ApiClient(site.recovered(), folder);
    }

    @AfterEach
    void stop() {
        api.close();
    }

    private static void isUnread(ApiClient.Reply reply) {
        var problem = reply.is(409).json();
        assertThat(problem.get("type").asText()).endsWith("live-unread");
        assertThat(problem.get("detail").asText()).contains("ln-broken", "/state/live/ln-broken", "it is damaged");
        assertThat(problem.get("advice").asText()).contains("put /state/live/ln-broken right", "start the site again");
    }

    @Test
    void linkThatCannotBeReadIsListedAndNeverSaidNotToExist() throws Exception {
        assertThat(api.get("/v1/live-links").json().get("unread")).isEmpty();
        site.keepUnreadLive();

        var listed = api.get("/v1/live-links").is(200).json();

        assertThat(listed.get("items")).isEmpty();
        assertThat(listed.at("/unread/0/id").asText()).isEqualTo("ln-broken");
        assertThat(listed.at("/unread/0/folder").asText()).isEqualTo("/state/live/ln-broken");
        assertThat(listed.at("/unread/0/why").asText()).isEqualTo("it is damaged");
        isUnread(api.get("/v1/live-links/ln-broken"));
        isUnread(api.delete("/v1/live-links/ln-broken"));
        api.get("/v1/live-links/ln-other").is(404);
        assertThat(api.get("/v1/ready").is(200).text()).contains("ln-broken in /state/live/ln-broken cannot be read");
    }
}

package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.domain.GroupId;
import io.tidemark.domain.Operation;
import io.tidemark.domain.OperationId;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.site.TestSite;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A cloud that copies a snapshot for hours holds up its own link alone. */
class WaitsLeaveTheLaneTest {
    private static final OperationSettings ONE_AT_ONCE = new OperationSettings(1, Duration.ofSeconds(20));

    @TempDir
    Path folder;

    private TestSite site;

    @BeforeEach
    void start() throws Exception {
        site = TestSite.in(folder, InstantSource.system(), ONE_AT_ONCE, Observer.NONE)
                .recovered();
        site.store.catalog().savePeer(new Peer(new PeerId("b"), "127.0.0.1:1", "a".repeat(64), Instant.EPOCH));
    }

    @AfterEach
    void stop() {
        site.close();
    }

    @Test
    void threeWaitUntilTheirSnapshotsCanBeReadThoughOneMayRun() throws Exception {
        var links = new ArrayList<ReplicationLink>();
        for (int index = 0; index < 3; index++) {
            links.add(linkOf("g" + index, "v" + index));
        }
        site.looksUntilReadable.set(Integer.MAX_VALUE);
        var syncs = new ArrayList<OperationId>();
        for (var link : links) {
            syncs.add(site.control
                    .links()
                    .sync()
                    .start(link.id(), Optional.empty(), site.intent())
                    .id());
        }

        for (var sync : syncs) {
            Awaitility.await()
                    .until(() -> site.control
                            .operations()
                            .get(sync)
                            .progress()
                            .phase()
                            .contains("can be read"));
        }
        site.control.operations().cancel(syncs.getFirst());
        assertThat(site.awaitEnd(syncs.getFirst()).state()).isEqualTo(Operation.State.CANCELLED);
        site.looksUntilReadable.set(0);

        assertThat(site.awaitEnd(syncs.get(1)).state()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(site.awaitEnd(syncs.get(2)).state()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(site.control.operations().runningCount()).isZero();
    }

    private ReplicationLink linkOf(String group, String volume) throws Exception {
        site.addGroup(group, volume);
        var taken = site.control.points().create().start(new GroupId(group), site.intent());
        assertThat(site.awaitEnd(taken.id()).state()).isEqualTo(Operation.State.SUCCEEDED);
        return site.control
                .links()
                .create()
                .create(
                        new CreateLink.Wish(
                                new PeerId("b"),
                                new GroupId(group),
                                TestSite.volume(volume),
                                TestSite.volume("copy-of-" + volume),
                                Optional.empty()),
                        site.intent());
    }
}

package io.tidemark.system.bounds;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.client.SiteClient;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.LoopVolume;
import io.tidemark.system.kill.RunningSite;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * No event loop is held for over 20 ms while a replication and a freeze run and the API is asked without pause.
 *
 * <p>Not counted: the first round, in which classes are loaded and the contract is compiled. A machine that is short of
 * processors holds a loop too; what is ours to mend comes back in each round, so one round without it passes.
 */
@Tag("alone")
@Timeout(180)
class EventLoopTest {
    private static final int LIMIT_MILLIS = 20;
    private static final int ROUNDS = 4;
    private static final int VOLUME_BYTES = 48 << 20;
    private static final long BTRFS_BYTES = 2L << 30;
    private static final String BLOCKED = "has been blocked";
    private static final List<String> OPTIONS =
            List.of("-Xmx256m", "-XX:TieredStopAtLevel=4", "-Dtidemark.eventloop.limit=" + LIMIT_MILLIS);
    /** Lists, documents, the metrics: everything that is asked while one waits. */
    private static final List<String> READS = List.of(
            "/v1/volumes",
            "/v1/groups",
            "/v1/links",
            "/v1/peers",
            "/v1/recovery-points",
            "/v1/snapshots",
            "/v1/operations");

    @Test
    void theLoopsAreFreeWhileDataMovesAndFileSystemsAreFrozen() throws Exception {
        Ground.requireRootAnd("mkfs.btrfs", "mkfs.ext4", "losetup");
        try (var ground = Ground.open();
                var disk = LoopVolume.makeBtrfs(
                        ground.folder().resolve("btrfs.img"),
                        BTRFS_BYTES,
                        ground.folder().resolve("btrfs"));
                var sites = LinkedSites.in(ground.folder(), disk.mountPoint(), OPTIONS)) {
            var link = sites.link("moved", VOLUME_BYTES);
            var frozen = sites.link("frozen", VOLUME_BYTES);
            try (var mounted =
                    LoopVolume.makeExt4(frozen.image(), ground.folder().resolve("mounted"))) {
                assertThat(mounted.mountPoint()).exists();
                var blocked = new ArrayList<String>();
                for (int round = 0; round < ROUNDS; round++) {
                    int atSource = sites.source().log().length();
                    int atTarget = sites.target().log().length();
                    work(
                            link,
                            frozen,
                            round,
                            sites.source().client(),
                            sites.target().client());
                    var found = blocked(sites.source(), atSource) + blocked(sites.target(), atTarget);
                    if (round > 0 && found.isEmpty()) {
                        return;
                    }
                    blocked.add("round %d: %s".formatted(round, found));
                }
                assertThat(blocked).as("rounds in which an event loop was held").isEmpty();
            }
        }
    }

    private static void work(LinkedSites.Link link, LinkedSites.Link frozen, long seed, SiteClient... sites)
            throws Exception {
        fill(link.image(), seed);
        link.take();
        var over = new AtomicBoolean();
        var askers = new ArrayList<Thread>();
        var failure = new AtomicReference<Throwable>();
        for (var site : sites) {
            askers.add(Thread.ofPlatform()
                    .uncaughtExceptionHandler((_, thrown) -> failure.set(thrown))
                    .start(() -> ask(site, over)));
        }
        try {
            var running = link.startSync();
            frozen.take();
            LinkedSites.await(sites[0], running);
            frozen.take();
        } finally {
            over.set(true);
            for (var asker : askers) {
                asker.join();
            }
        }
        assertThat(failure.get()).as("the API, asked meanwhile").isNull();
    }

    private static void ask(SiteClient site, AtomicBoolean over) {
        try {
            while (!over.get()) {
                for (var path : READS) {
                    site.list(path, 1_000);
                }
                site.post("/v1/invitations", Map.of("peer", "nobody", "validMillis", 60_000));
            }
        } catch (Exception e) {
            throw new AssertionError("the API is asked meanwhile", e);
        }
    }

    private static void fill(Path image, long seed) throws Exception {
        byte[] bytes = new byte[VOLUME_BYTES];
        new Random(seed).nextBytes(bytes);
        try (var channel = FileChannel.open(image, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(bytes), 0);
            channel.force(true);
        }
    }

    /** The warnings with the stacks behind them. */
    private static String blocked(RunningSite site, int fromCharacter) throws Exception {
        var log = site.log().substring(fromCharacter);
        return log.contains(BLOCKED)
                ? log.lines()
                        .filter(line -> line.contains(BLOCKED) || line.startsWith("\tat "))
                        .collect(Collectors.joining("\n"))
                : "";
    }
}

package io.tidemark.system.kill;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.client.ClientError;
import io.tidemark.client.ClientException;
import io.tidemark.domain.Moment;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.LoopVolume;
import io.tidemark.system.ground.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A link of two Btrfs subvolumes on two file systems, whose sites are killed at moments of a synchronisation: the
 * target's files are the old recovery point's or the new one's, and the next synchronisation ends what was begun.
 */
@Tag("system-image")
class FileLinkKillTest {
    private static final long BTRFS_BYTES = 1L << 30;
    /** More than the target receives between two syncs of its log, which is 8 MiB. */
    private static final int LARGE_BYTES = 12 << 20;

    private static final int FILES = 40;
    private static final String VOLUME = "btrfs:home";
    private static final Duration CATCH_UP_LIMIT = Duration.ofSeconds(60);
    private static final Duration POLL = Duration.ofMillis(100);
    private static final EnumSet<Moment> AT_THE_SOURCE = EnumSet.of(Moment.SYNC_PARTLY_SENT, Moment.SYNC_ACKNOWLEDGED);
    private static final List<Moment> MOMENTS = List.of(
            Moment.SYNC_PARTLY_SENT,
            Moment.INGEST_PARTLY_SYNCED,
            Moment.INGEST_COMMITTED,
            Moment.INGEST_PARTLY_APPLIED,
            Moment.INGEST_APPLIED,
            Moment.TARGET_RECORDED,
            Moment.SYNC_ACKNOWLEDGED);

    @BeforeAll
    static void require() throws Exception {
        Ground.requireRootAnd("losetup", "mkfs.btrfs", "btrfs", "diff");
    }

    @Test
    void filesAreAtTheOldRecoveryPointOrTheNewOne() throws Exception {
        try (var ground = Ground.open();
                var here = btrfs(ground, "here");
                var there = btrfs(ground, "there");
                var source = site(ground, "source", here);
                var target = site(ground, "target", there)) {
            Path home = subvolume(here);
            Path copy = subvolume(there);
            source.start();
            target.start();
            var link = link(source, target);
            var random = new Random(1);
            change(home, random);
            var before = take(source);
            catchUp(source, link, before);
            assertAlike(here, before, copy);
            for (var moment : MOMENTS) {
                change(home, random);
                var point = take(source);
                killAt(moment, AT_THE_SOURCE.contains(moment) ? source : target, source, link);
                assertOldOrNew(here, List.of(before, point), copy, moment);
                catchUp(source, link, point);
                assertAlike(here, point, copy);
                before = point;
            }
            var report = Replicated.await(
                            source.client(),
                            source.client()
                                    .post("/v1/links/" + link + "/verifications", Map.of())
                                    .at("id")
                                    .text())
                    .at("result", "report");
            assertThat(report.at("differingBlocks").number()).isZero();
        }
    }

    private static LoopVolume btrfs(Ground ground, String name) throws IOException {
        return LoopVolume.makeBtrfs(
                ground.folder().resolve(name + ".img"),
                BTRFS_BYTES,
                ground.folder().resolve(name));
    }

    private static RunningSite site(Ground ground, String name, LoopVolume btrfs) throws IOException {
        var folder = ground.folder();
        return new RunningSite(
                name,
                folder.resolve(name + "-site"),
                folder.resolve(name + "-images"),
                List.of("-Xmx256m"),
                ", btrfs: {folder: %s}".formatted(btrfs.mountPoint()));
    }

    private static Path subvolume(LoopVolume btrfs) throws IOException {
        var home = btrfs.mountPoint().resolve("home");
        Programs.run("btrfs", "subvolume", "create", home.toString());
        return home;
    }

    private static String link(RunningSite source, RunningSite target) throws Exception {
        var token = target.client()
                .post("/v1/invitations", Map.of("peer", "source", "validMillis", 600_000))
                .at("token")
                .text();
        var site = source.client();
        site.post("/v1/peers", Map.of("id", "target", "token", token));
        site.post("/v1/groups", Map.of("id", "home", "volumes", List.of(VOLUME), "freezeLimitMillis", 5_000));
        return site.post("/v1/links", Map.of("peer", "target", "group", "home", "volume", VOLUME, "peerVolume", VOLUME))
                .at("id")
                .text();
    }

    /** Some files are new, some changed, some gone, some have another name; one is large. */
    private static void change(Path home, Random random) throws IOException {
        for (int step = 0; step < FILES; step++) {
            var file = home.resolve("file-" + random.nextInt(FILES));
            switch (random.nextInt(4)) {
                case 0 -> Files.deleteIfExists(file);
                case 1 -> {
                    if (Files.exists(file)) {
                        Files.move(
                                file, home.resolve("moved-" + step), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
                    }
                }
                default -> Files.write(file, noise(random, random.nextInt(100_000)));
            }
        }
        Files.write(home.resolve("large"), noise(random, LARGE_BYTES));
    }

    private static byte[] noise(Random random, int bytes) {
        byte[] noise = new byte[bytes];
        random.nextBytes(noise);
        return noise;
    }

    private static String take(RunningSite source) throws Exception {
        var site = source.client();
        var operation =
                site.post("/v1/groups/home/recovery-points", Map.of()).at("id").text();
        return Replicated.await(site, operation)
                .at("result", "recoveryPoint", "id")
                .text();
    }

    private static void killAt(Moment moment, RunningSite victim, RunningSite source, String link) throws Exception {
        victim.dieAt(moment, 1);
        source.client().post("/v1/links/" + link + "/syncs", Map.of());
        long deadline = System.nanoTime() + CATCH_UP_LIMIT.toNanos();
        while (victim.alive() && System.nanoTime() < deadline) {
            Thread.sleep(POLL);
        }
        assertThat(victim.diedAsTold()).as("died at %s", moment).isTrue();
        victim.start();
    }

    /** Asks for synchronisations until the link is in step with the point: the first may meet what is still ending. */
    private static void catchUp(RunningSite source, String link, String point) throws Exception {
        long deadline = System.nanoTime() + CATCH_UP_LIMIT.toNanos();
        var site = source.client();
        while (!site.get("/v1/links/" + link).at("inStep").optional().equals(Optional.of(point))) {
            assertThat(System.nanoTime()).as("in step with %s in time", point).isLessThan(deadline);
            try {
                Replicated.await(
                        site,
                        site.post("/v1/links/" + link + "/syncs", Map.of())
                                .at("id")
                                .text());
            } catch (ClientException e) {
                assertThat(e.error()).isInstanceOfAny(ClientError.OperationFailed.class, ClientError.Refused.class);
                Thread.sleep(POLL);
            }
        }
    }

    private static Path snapshot(LoopVolume btrfs, String point) {
        return btrfs.mountPoint().resolve(".tidemark/btrfs/snapshots/home@" + point);
    }

    private static void assertAlike(LoopVolume here, String point, Path copy) throws IOException {
        Programs.run("diff", "-r", "--no-dereference", snapshot(here, point).toString(), copy.toString());
    }

    private static void assertOldOrNew(LoopVolume here, List<String> points, Path copy, Moment moment) {
        var differences = new ArrayList<String>();
        for (var point : points) {
            try {
                assertAlike(here, point, copy);
                return;
            } catch (IOException e) {
                differences.add(String.valueOf(e.getMessage()));
            }
        }
        assertThat(differences).as("after a death at %s", moment).isEmpty();
    }
}

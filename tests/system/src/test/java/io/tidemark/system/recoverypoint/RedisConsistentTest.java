package io.tidemark.system.recoverypoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.tidemark.consistency.redis.RedisQuiescerFactory;
import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.Moments;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Step;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.LoopVolume;
import io.tidemark.system.ground.Programs;
import io.tidemark.system.ground.RedisServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A Redis under writes; its recovery points, started as if the power had gone at the cut. */
@Tag("system-image")
class RedisConsistentTest {
    private static final VolumeId VOLUME = VolumeId.of("image", "cache");
    private static final long BTRFS_BYTES = 8L << 30;
    private static final long IMAGE_BYTES = 1L << 30;
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final int WRITES_BEFORE = 500;
    private static final int PAUSE_MILLIS_MAXIMUM = 300;

    private Ground ground;
    private LoopVolume images;
    private LoopVolume volume;
    private TakerOfImages taker;

    @BeforeEach
    void makeVolume() throws Exception {
        Ground.requireRootAnd(
                "losetup", "mkfs.ext4", "mkfs.btrfs", "fsfreeze", "redis-server", "redis-check-aof", "redis-check-rdb");
        ground = Ground.open();
        images = LoopVolume.makeBtrfs(
                ground.folder().resolve("btrfs.img"),
                BTRFS_BYTES,
                ground.folder().resolve("images"));
        taker = TakerOfImages.open(
                images.mountPoint(), Files.createDirectory(ground.folder().resolve("state")), Moments.NONE);
        var device = taker.provider().create(VOLUME, IMAGE_BYTES).device().orElseThrow();
        volume = LoopVolume.makeExt4(device, ground.folder().resolve("cache"));
    }

    @AfterEach
    void undoEverything() throws Exception {
        for (var each : new AutoCloseable[] {volume, taker, images, ground}) {
            if (each != null) {
                each.close();
            }
        }
    }

    @Test
    void everythingAcknowledgedIsInTheAppendOnlyFileOfTheCutWhileItIsRewritten() throws Exception {
        try (var server = RedisServer.start(
                volume.mountPoint().resolve("data"),
                "--appendonly",
                "yes",
                // Rewritten again and again, so that cuts meet it.
                "--auto-aof-rewrite-min-size",
                "64kb",
                "--auto-aof-rewrite-percentage",
                "20")) {
            for (long seed : seeds()) {
                cutAndRecover(server, Map.of("port", Integer.toString(server.port())), seed, true);
            }
        }
    }

    @Test
    void withoutAppendOnlyFileTheSaveUnderTheHoldHasEverythingAcknowledged() throws Exception {
        try (var server = RedisServer.start(volume.mountPoint().resolve("data"), "--appendonly", "no")) {
            var settings = Map.of("socket", server.socket().toString(), "withoutAppendOnlyFile", "holdForSave");
            for (long seed : seeds()) {
                cutAndRecover(server, settings, seed, false);
            }
            try (var client = server.connect()) {
                assertThat(client.info("clients"))
                        .as("every connection of ours has ended")
                        .contains("connected_clients:1\r");
            }
        }
    }

    @Test
    void dataOutsideTheVolumesIsRefusedByItsPath() throws Exception {
        var elsewhere = ground.folder().resolve("elsewhere");
        try (var server = RedisServer.start(elsewhere, "--appendonly", "yes")) {
            var group = group(Map.of("port", Integer.toString(server.port())));

            assertThat(catchThrowable(() -> taker.taker().plan(new RecoveryPointId("rp-outside"), group)))
                    .hasMessageContaining("data directory " + elsewhere)
                    .hasMessageContaining("lies on none of the group's volumes");
        }
    }

    @Test
    void userWithTheLeastRightsIsEnoughAndOneWithFewerIsRefused() throws Exception {
        var password = Files.writeString(ground.folder().resolve("password"), "swordfish\n");
        try (var server = RedisServer.start(volume.mountPoint().resolve("data"), "--appendonly", "yes");
                var admin = server.connect()) {
            admin.aclSetUser("tidemark", "on", ">swordfish", "resetkeys", "resetchannels", "-@all", "+info");
            var group = group(Map.of(
                    "port", Integer.toString(server.port()), "user", "tidemark", "passwordFile", password.toString()));
            var id = new RecoveryPointId("rp-least");
            assertThat(catchThrowable(() -> taker.taker().plan(id, group))).hasMessageContaining("client|pause");

            admin.aclSetUser("tidemark", "+client|pause", "+client|unpause");
            var plan = taker.taker().plan(id, group);
            var point = taker.taker().take(plan, ProgressListener.NONE);

            assertThat(plan.warnings()).anyMatch(warning -> warning.contains("allow config|get"));
            assertThat(point.consistency()).isEqualTo(Consistency.APPLICATION);
            taker.taker().undo(id);
        }
    }

    @Test
    void pauseThatSomebodyLiftsIsFoundOutByWhatWasWritten() throws Exception {
        try (var server = RedisServer.start(volume.mountPoint().resolve("data"), "--appendonly", "yes");
                var admin = server.connect()) {
            var quiescer = new RedisQuiescerFactory()
                    .create(new QuiescerSpec("redis", Map.of("port", Integer.toString(server.port()))));
            try (var frozen = quiescer.freeze(new RecoveryPointId("rp-lifted"), LIMIT)) {
                frozen.hold(LIMIT);
                assertThat(frozen.heldUntilNow()).isTrue();

                admin.clientUnpause();
                admin.set("key", "value");

                assertThat(frozen.heldUntilNow()).isFalse();
            }
        }
    }

    private static long[] seeds() {
        return Ground.seeds().toArray();
    }

    private static ConsistencyGroup group(Map<String, String> settings) {
        return new ConsistencyGroup(
                new GroupId("cache"),
                List.of(VOLUME),
                List.of(new QuiescerSpec("redis", settings)),
                true,
                LIMIT,
                Consistency.APPLICATION);
    }

    private void cutAndRecover(RedisServer server, Map<String, String> settings, long seed, boolean appendOnly)
            throws Exception {
        var id = new RecoveryPointId("rp-seed" + seed);
        RecoveryPoint point;
        List<RedisWriter.Write> writes;
        try (var writer = RedisWriter.start(server)) {
            writer.awaitMore(WRITES_BEFORE);
            TimeUnit.MILLISECONDS.sleep(new SplittableRandom(seed).nextInt(PAUSE_MILLIS_MAXIMUM));

            point = taker.taker().take(taker.taker().plan(id, group(settings)), ProgressListener.NONE);
            writer.awaitMore(WRITES_BEFORE);
            writer.close();
            writes = writer.writes();
        }
        assertThat(point.consistency()).isEqualTo(Consistency.APPLICATION);
        assertThat(point.certificate().everyCutLiesInsideEveryFreeze()).isTrue();
        var hold = point.certificate().freezes().stream()
                .filter(freeze -> freeze.kind().equals("redis"))
                .findFirst()
                .orElseThrow();
        System.out.printf("seed=%d writes=%d %s%n", seed, writes.size(), figures(point.certificate(), hold, writes));
        recover(point, writes, hold, appendOnly);
        taker.taker().undo(id);
    }

    private static String figures(Certificate certificate, Certificate.Freeze hold, List<RedisWriter.Write> writes) {
        long worst = writes.stream()
                .mapToLong(write -> write.acknowledgedNanos() - write.begunNanos())
                .max()
                .orElse(0);
        return "heldMillis=%.1f drainedMillis=%.1f freezeMillis=%.1f worstStallMillis=%.0f %s"
                .formatted(
                        (hold.releasedNanos() - hold.requestedNanos()) / 1e6,
                        (hold.acknowledgedNanos() - hold.requestedNanos()) / 1e6,
                        certificate.freezeWindowNanos().orElseThrow() / 1e6,
                        worst / 1e6,
                        hold.facts());
    }

    private void recover(
            RecoveryPoint point, List<RedisWriter.Write> writes, Certificate.Freeze hold, boolean appendOnly)
            throws Exception {
        var name = VolumeId.of("image", "clone-" + point.id().value());
        var step = taker.provider()
                .clone(new CloneRequest(point.members().getFirst().snapshot(), name));
        assertThat(step).isInstanceOf(Step.Done.class);
        Volume clone = ((Step.Done<Volume>) step).result();
        Path mountPoint = ground.folder().resolve("clone-" + point.id().value());
        try (var mounted = LoopVolume.mount(clone.device().orElseThrow(), mountPoint)) {
            var data = mounted.mountPoint().resolve("data");
            if (appendOnly) {
                Programs.run(
                        "redis-check-aof",
                        data.resolve("appendonlydir/appendonly.aof.manifest").toString());
            } else {
                Programs.run("redis-check-rdb", data.resolve("dump.rdb").toString());
            }
            try (var recovered = RedisServer.start(data, "--appendonly", appendOnly ? "yes" : "no");
                    var client = recovered.connect()) {
                long last = Long.parseLong(client.get(RedisWriter.LAST));
                long acknowledgedBefore = writes.stream()
                        .filter(write -> write.acknowledgedNanos() < hold.requestedNanos())
                        .count();
                long begunBefore = writes.stream()
                        .filter(write -> write.begunNanos() < hold.acknowledgedNanos())
                        .count();
                assertThat(last).isBetween(acknowledgedBefore, begunBefore);
                assertThat(client.lrange(RedisWriter.ALL, 0, -1))
                        .as("numbers without a gap")
                        .isEqualTo(LongStream.rangeClosed(1, last)
                                .mapToObj(Long::toString)
                                .toList());
            }
        }
        taker.provider().remove(name);
    }
}

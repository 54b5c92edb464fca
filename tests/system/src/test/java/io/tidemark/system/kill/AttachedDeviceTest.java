package io.tidemark.system.kill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.attach.Attachment;
import io.tidemark.attach.Attachments;
import io.tidemark.domain.ExportId;
import io.tidemark.system.ground.AttachedDevice;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.Kept;
import io.tidemark.system.ground.LoopVolume;
import io.tidemark.system.ground.Programs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A file system on an attached export, and a site that is killed under it. */
@Tag("system-image")
@Timeout(180)
class AttachedDeviceTest {
    private static final long VOLUME_BYTES = 32L << 20;
    /** A site that does not start again fails the test, and not its limit, for the writer then hears of it. */
    private static final Duration AWAY_LIMIT = Duration.ofMinutes(1);

    private static final Duration FLUSH_LIMIT = Duration.ofSeconds(2);
    private static final Duration END_LIMIT = Duration.ofSeconds(20);

    private static final int RECORDS = 50;

    @BeforeAll
    static void require() {
        Ground.requireRootAnd("nbdfuse", "losetup", "mkfs.ext4", "mkfs.btrfs", "mount");
        if (!Files.exists(Path.of("/dev/fuse"))) {
            Ground.lacking("no /dev/fuse");
        }
    }

    /** Writes 1, 2, 3, ... on lines of a file, each synced before the next: what it counts was acknowledged. */
    private static final class Writer implements AutoCloseable {
        private final AtomicLong acknowledged = new AtomicLong();
        private final Thread thread;
        private final Attachment on;
        private volatile boolean stopping;
        private volatile @Nullable IOException failure;

        Writer(Path file, Attachment on) {
            this.on = on;
            thread = Thread.ofPlatform().start(() -> write(file));
        }

        private void write(Path file) {
            try (var channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                for (long number = 1; !stopping; number++) {
                    channel.write(ByteBuffer.wrap((number + "\n").getBytes(StandardCharsets.US_ASCII)));
                    channel.force(true);
                    acknowledged.set(number);
                }
            } catch (IOException e) {
                failure = e;
            }
        }

        void awaitMore(int count) throws Exception {
            long wanted = acknowledged.get() + count;
            while (acknowledged.get() < wanted) {
                var failed = failure;
                if (failed != null) {
                    throw failed;
                }
                TimeUnit.MILLISECONDS.sleep(5);
            }
        }

        @Override
        public void close() throws InterruptedException {
            stopping = true;
            if (!thread.join(END_LIMIT)) {
                // It waits for a site that is not there: without the relay it fails.
                ProcessHandle.of(on.relay()).ifPresent(ProcessHandle::destroyForcibly);
                thread.join();
            }
        }
    }

    private static Attachment attached(RunningSite site, Attachments attachments, Duration awayLimit) throws Exception {
        site.client().post("/v1/volumes", Map.of("id", "image:disk", "sizeBytes", VOLUME_BYTES));
        var made = site.client().post("/v1/exports", Map.of("source", "image:disk", "access", "WRITABLE"));
        var export = new ExportId(made.at("items").items().getFirst().at("id").text());
        return attachments.attach(export, site.state().resolve("exports/nbd.sock"), awayLimit);
    }

    @Test
    void everyAcknowledgedRecordIsThereAfterTheSiteWasKilledAndAfterDetach() throws Exception {
        try (var kept = new Kept()) {
            var ground = kept.keep(Ground.open());
            var volumes = ground.folder().resolve("volumes");
            var site = kept.keep(new RunningSite("attached", ground.folder().resolve("site"), volumes));
            site.start();
            // The kernel tells other names than those that are given: the folder's real one, and blanks by numbers.
            var folder = Files.createSymbolicLink(
                    ground.folder().resolve("link"),
                    Files.createDirectory(ground.folder().resolve("attached")));
            var attachments = new Attachments(folder);
            var made = attached(site, attachments, AWAY_LIMIT);
            var mountPoint = Files.createDirectory(ground.folder().resolve("mount point"));
            var undo = kept.keep(new AttachedDevice(made, mountPoint));
            // Its mounts have a number of their own.
            Programs.run("mkfs.btrfs", "-q", "--mixed", made.device().toString());
            Programs.run("mount", made.device().toString(), mountPoint.toString());
            assertThatThrownBy(() -> attachments.detach(made, true))
                    .hasMessage("%s is mounted at %s".formatted(made.device(), mountPoint));
            Programs.run("umount", mountPoint.toString());
            Programs.run("mkfs.ext4", "-q", "-F", made.device().toString());
            Programs.run("mount", made.device().toString(), mountPoint.toString());
            var file = mountPoint.resolve("records");
            long acknowledged;
            try (var writer = new Writer(file, made)) {
                writer.awaitMore(RECORDS);
                site.kill();
                site.start();
                assertThat(site.client()
                                .get("/v1/exports/" + made.export())
                                .at("away")
                                .truth())
                        .as(site.log())
                        .isFalse();
                writer.awaitMore(RECORDS);
                writer.close();
                acknowledged = writer.acknowledged.get();
            }
            assertThat(recordsOf(file)).startsWith(numbers(acknowledged));
            assertThatThrownBy(() -> attachments.detach(made, false))
                    .hasMessage("%s is mounted at %s".formatted(made.device(), mountPoint));
            Programs.run("umount", mountPoint.toString());

            // As from another process: all it needs is in the folder.
            var again = new Attachments(folder);
            again.detach(again.find(made.device().toString()), false);
            undo.detached();

            assertThat(again.all()).isEmpty();
            try (var volume = LoopVolume.mount(volumes.resolve("disk"), mountPoint)) {
                assertThat(recordsOf(volume.mountPoint().resolve("records"))).startsWith(numbers(acknowledged));
            }
        }
    }

    @Test
    void aDeviceWhoseSiteDoesNotComeBackIsGivenUpOnlyWhereLossIsFine() throws Exception {
        try (var kept = new Kept()) {
            var ground = kept.keep(Ground.open());
            var site = kept.keep(new RunningSite(
                    "gone", ground.folder().resolve("site"), ground.folder().resolve("volumes")));
            site.start();
            var attachments = new Attachments(ground.folder().resolve("attached"), FLUSH_LIMIT);
            var killed = attached(site, attachments, AWAY_LIMIT);
            var undoKilled =
                    kept.keep(new AttachedDevice(killed, ground.folder().resolve("none")));
            // As of an attach that was killed before it had written it down.
            Files.delete(killed.folder().resolve("attachment"));
            var made = attachments.attach(killed.export(), site.state().resolve("exports/nbd.sock"), AWAY_LIMIT);
            undoKilled.detached();
            var undo = kept.keep(new AttachedDevice(made, ground.folder().resolve("none")));
            assertThat(ProcessHandle.of(killed.relay())).isEmpty();
            assertThat(devicesIn(made.folder())).isEqualTo(1);
            try (var device = FileChannel.open(made.device(), StandardOpenOption.WRITE)) {
                device.write(ByteBuffer.allocate(4096));
            }
            Programs.run("sync", made.device().toString());
            site.kill();

            assertThatThrownBy(() -> attachments.attach(made.export(), site.state(), AWAY_LIMIT))
                    .hasMessage("export %s is attached as %s".formatted(made.export(), made.device()));
            assertThatThrownBy(() -> attachments.attach(new ExportId("ex-none"), site.state(), AWAY_LIMIT))
                    .hasMessageContaining("the relay did not start");
            assertThat(attachments.all()).containsExactly(made);
            assertThat(ground.folder().resolve("attached/ex-none")).doesNotExist();
            assertThatThrownBy(() -> attachments.detach(made, false)).hasMessageContaining("cannot be flushed: ");
            assertThat(attachments.all()).containsExactly(made);

            attachments.detach(made, true);
            undo.detached();

            assertThat(attachments.all()).isEmpty();
        }
    }

    private static long devicesIn(Path folder) throws Exception {
        return Programs.run("losetup", "--list", "--noheadings", "--output", "BACK-FILE")
                .lines()
                .filter(file -> file.startsWith(folder.toString()))
                .count();
    }

    private static long[] recordsOf(Path file) throws IOException {
        return Files.readAllLines(file).stream().mapToLong(Long::parseLong).toArray();
    }

    private static long[] numbers(long last) {
        return LongStream.rangeClosed(1, last).toArray();
    }
}

package io.tidemark.system.bounds;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.LoopVolume;
import io.tidemark.system.ground.Programs;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A volume's size costs neither memory nor time: what is in it does. */
@Timeout(180)
class SparseTerabyteTest {
    private static final long TIB = 1L << 40;
    private static final int BLOCK = 4_096;
    private static final int RUN_BYTES = 1 << 20;
    private static final int SCATTERED = 128;
    /** Two runs and the scattered blocks, twice, and what a file system puts around them. */
    private static final long ALLOCATED_MAXIMUM = 16L << 20;

    private static final long BTRFS_BYTES = 2L << 30;
    /** What an image of 1 GiB needs too. */
    private static final List<String> SMALL_HEAP = List.of("-Xmx64m", "-XX:+ExitOnOutOfMemoryError");

    @Test
    void itsCopiesAreComparedWhereTheyHoldData() throws Exception {
        try (var ground = Ground.open()) {
            replicate(ground, ground.folder().resolve("volumes"));
        }
    }

    @Test
    void itsChangesAreTrackedByBtrfs() throws Exception {
        Ground.requireRootAnd("mkfs.btrfs", "losetup");
        try (var ground = Ground.open();
                var disk = LoopVolume.makeBtrfs(
                        ground.folder().resolve("btrfs.img"),
                        BTRFS_BYTES,
                        ground.folder().resolve("btrfs"))) {
            replicate(ground, disk.mountPoint());
        }
    }

    private static void replicate(Ground ground, Path volumes) throws Exception {
        try (var sites = LinkedSites.in(ground.folder(), volumes, SMALL_HEAP)) {
            var link = sites.link("tebi", TIB);
            var random = new Random(1);
            var written = new ArrayList<Long>();
            write(link.image(), random, 0, RUN_BYTES, written);
            write(link.image(), random, TIB / 2 - RUN_BYTES / 2, RUN_BYTES, written);
            write(link.image(), random, TIB - BLOCK, BLOCK, written);
            for (int block = 0; block < SCATTERED; block++) {
                write(link.image(), random, random.nextLong(TIB / BLOCK) * BLOCK, BLOCK, written);
            }
            var first = link.take();

            var copied = link.sync();

            assertThat(copied.at("changedBytes").number()).isEqualTo((long) written.size() * BLOCK);
            assertThat(copied.at("readBytes").number()).isLessThan(512L << 20);
            assertSame(link, first, written);

            var changed = new ArrayList<Long>();
            write(link.image(), random, BLOCK, BLOCK, changed);
            write(link.image(), random, TIB / 3 / BLOCK * BLOCK, BLOCK, changed);
            write(link.image(), random, TIB - BLOCK, BLOCK, changed);
            punch(link.image(), TIB / 2, BLOCK, changed);
            var second = link.take();

            var added = link.sync();

            assertThat(added.at("changedBytes").number()).isEqualTo((long) changed.size() * BLOCK);
            assertThat(added.at("base").text()).isEqualTo(first);
            written.addAll(changed);
            assertSame(link, second, written);
            var verified = link.verify();
            assertThat(verified.at("comparedBytes").number()).isEqualTo(TIB);
            assertThat(verified.at("differingBlocks").number()).isZero();
        }
    }

    private static void write(Path image, Random random, long offset, int length, List<Long> blocks) throws Exception {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        try (var channel = FileChannel.open(image, StandardOpenOption.WRITE)) {
            assertThat(channel.write(ByteBuffer.wrap(bytes), offset)).isEqualTo(length);
            channel.force(true);
        }
        for (int at = 0; at < length; at += BLOCK) {
            blocks.add(offset + at);
        }
    }

    private static void punch(Path image, long offset, int length, List<Long> blocks) throws Exception {
        Programs.run(
                "fallocate",
                "--punch-hole",
                "--offset",
                Long.toString(offset),
                "--length",
                Integer.toString(length),
                image.toString());
        blocks.add(offset);
    }

    /** Everything that was ever written is there; and as the copy allocates little more, nothing else is. */
    private static void assertSame(LinkedSites.Link link, String recoveryPoint, List<Long> blocks) throws Exception {
        var copy = link.cloneAtTarget(recoveryPoint);
        assertThat(Files.size(copy)).isEqualTo(TIB);
        var allocated = Programs.run("stat", "--format=%b", copy.toString());
        assertThat(Long.parseLong(allocated) * 512).isLessThan(ALLOCATED_MAXIMUM);
        try (var here = FileChannel.open(link.image(), StandardOpenOption.READ);
                var there = FileChannel.open(copy, StandardOpenOption.READ)) {
            for (long offset : blocks) {
                assertThat(block(there, offset)).as("block at %d", offset).isEqualTo(block(here, offset));
            }
        }
        link.removeClone();
    }

    private static ByteBuffer block(FileChannel image, long offset) throws Exception {
        var block = ByteBuffer.allocate(BLOCK);
        assertThat(image.read(block, offset)).isEqualTo(BLOCK);
        return block.flip();
    }
}

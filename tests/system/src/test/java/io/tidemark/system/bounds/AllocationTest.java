package io.tidemark.system.bounds;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.system.ground.Ground;
import io.tidemark.system.kill.RunningSite;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What a transfer leaves to the garbage collector, in processes that compile as a site does. It is no timing: the same
 * transfer allocates the same, but for what the compiler leaves out and what the API's answers take.
 */
@Tag("alone")
@Timeout(300)
class AllocationTest {
    private static final double MIB = 1 << 20;
    private static final int BLOCK = 4_096;
    /** 10 MB for each GiB moved: a first copy, whose blocks go into the index too, or an increment, through a log. */
    private static final double MIB_MAXIMUM = 10_000_000 / MIB;

    /**
     * A chunk of an index is of 256 MiB: one is held in memory whatever the volume has, and is not per GiB. Moving so much
     * also lets the compiler come to its end on a host that has other work.
     */
    private static final long SMALL_BYTES = 256L << 20;

    private static final long LARGE_BYTES = SMALL_BYTES + (1L << 30);
    /** Without the file that kills: looking for it at each moment makes an exception. */
    private static final List<String> OPTIONS = List.of("-Xmx256m", "-XX:TieredStopAtLevel=4", "-Dtidemark.halt.file=");

    /** What both sites allocated during a synchronisation. */
    private record Allocated(double source, double target) {}

    @Test
    void whatAGibibyteLeavesAsGarbageIsBounded() throws Exception {
        try (var ground = Ground.open();
                var sites = LinkedSites.in(ground.folder(), ground.folder().resolve("volumes"), OPTIONS)) {
            // What a synchronisation costs whatever it moves, and classes that are loaded once, are not per GiB.
            var warm = sites.link("warm", SMALL_BYTES);
            var small = sites.link("small", SMALL_BYTES);
            var large = sites.link("large", LARGE_BYTES);
            for (int round = 1; round <= 2; round++) {
                move(sites, warm, SMALL_BYTES, round);
                var little = move(sites, small, SMALL_BYTES, round);
                var much = move(sites, large, LARGE_BYTES, round);
                assertFrugal(round == 1 ? "first copy" : "increment", little, much);
            }
        }
    }

    private static Allocated move(LinkedSites sites, LinkedSites.Link link, long bytes, long seed) throws Exception {
        fill(link.image(), 0, bytes, seed);
        var point = link.take();
        double source = allocated(sites.source());
        double target = allocated(sites.target());
        assertThat(link.syncUnwatched(point).at("sentPayloadBytes").number()).isEqualTo(bytes);
        return new Allocated(allocated(sites.source()) - source, allocated(sites.target()) - target);
    }

    private static void assertFrugal(String what, Allocated little, Allocated much) {
        double gibibytes = (LARGE_BYTES - SMALL_BYTES) / MIB / 1024;
        double atSource = (much.source() - little.source()) / MIB / gibibytes;
        double atTarget = (much.target() - little.target()) / MIB / gibibytes;
        System.err.printf(
                "%s: MiB allocated per GiB: source %.1f, target %.1f; whatever is moved: %.1f, %.1f%n",
                what, atSource, atTarget, little.source() / MIB, little.target() / MIB);
        assertThat(atSource).as("%s: MiB allocated at the source per GiB", what).isLessThan(MIB_MAXIMUM);
        assertThat(atTarget).as("%s: MiB allocated at the target per GiB", what).isLessThan(MIB_MAXIMUM);
    }

    private static double allocated(RunningSite site) throws Exception {
        return site.metric("tidemark_heap_allocated_bytes_total");
    }

    private static void fill(Path image, long offset, long length, long seed) throws Exception {
        var random = new Random(seed);
        byte[] chunk = new byte[1 << 20];
        random.nextBytes(chunk);
        try (var channel = FileChannel.open(image, StandardOpenOption.WRITE)) {
            for (long at = offset; at < offset + length; at += chunk.length) {
                // Each block is another, without drawing all of it anew.
                for (int block = 0; block < chunk.length; block += BLOCK) {
                    ByteBuffer.wrap(chunk).putLong(block, random.nextLong());
                }
                channel.write(ByteBuffer.wrap(chunk), at);
            }
            channel.force(true);
        }
    }
}

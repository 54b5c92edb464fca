package io.tidemark.replication.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ActivityLogTest {
    /** A log with its ring on a disk that tears the last block at a crash. */
    private static final class Disk {
        final int slots;
        byte[] ring;
        ActivityLog log;
        final Map<Integer, Integer> inFlight = new HashMap<>();

        Disk(int slots) {
            this.slots = slots;
            ring = new byte[ActivityLogRing.blocks(slots) * ActivityLogRing.BLOCK_BYTES];
            log = new ActivityLog(slots, 0);
        }

        void write(ActivityLog.Transaction one, int bytes) {
            one.block().get(0, ring, one.position() * ActivityLogRing.BLOCK_BYTES, bytes);
        }

        void durable() {
            log.durable().forEach((extent, writes) -> inFlight.merge(extent, writes, Integer::sum));
        }

        void begin(int extent) {
            if (log.begin(extent)) {
                inFlight.merge(extent, 1, Integer::sum);
            }
        }

        void end(int extent) {
            log.end(extent);
            inFlight.computeIfPresent(extent, (ignored, writes) -> writes == 1 ? null : writes - 1);
        }

        /** Every slot has a write in flight, of extents from here on, but for the last ten. */
        void fill(int from) {
            for (int slot = 0; slot < slots; slot++) {
                begin(from + slot);
            }
            for (var next = log.next(); next.isPresent(); next = log.next()) {
                write(next.get(), ActivityLogRing.BLOCK_BYTES);
                durable();
            }
            for (int slot = Math.max(0, slots - 10); slot < slots; slot++) {
                end(from + slot);
            }
        }

        ActivityLogRing.Recovered recovered() {
            return ActivityLogRing.recover(slots, ring);
        }

        /** By the set itself: AssertJ's own containsAll looks through all of them for each. */
        void assertInFlightIsFound() {
            var lost = new TreeSet<>(inFlight.keySet());
            lost.removeAll(recovered().hot());
            assertThat(lost).as("in flight and not hot").isEmpty();
        }
    }

    @Test
    void writeToAColdExtentWaitsForItsTransactionAndOneToAHotExtentDoesNot() {
        var disk = new Disk(7);

        assertThat(disk.log.begin(3)).isFalse();
        assertThat(disk.log.begin(3)).isFalse();
        assertThat(disk.log.begin(9)).isFalse();
        var one = disk.log.next().orElseThrow();
        assertThat(one.extents()).containsExactly(3, 9);
        assertThat(disk.log.begin(3)).as("its transaction is not durable yet").isFalse();
        assertThat(disk.log.next()).isEmpty();
        assertThat(disk.log.durable()).isEqualTo(Map.of(3, 3, 9, 1));

        assertThat(disk.log.begin(3)).isTrue();
        assertThat(disk.log.hot()).containsExactly(3, 9);
    }

    @Test
    void extentWithAWriteInFlightKeepsItsSlotAndTheOneUsedLongestAgoLosesIts() {
        var disk = new Disk(7);
        for (int extent = 0; extent < 7; extent++) {
            disk.begin(extent);
        }
        disk.write(disk.log.next().orElseThrow(), ActivityLogRing.BLOCK_BYTES);
        disk.durable();

        disk.begin(100);
        assertThat(disk.log.next()).as("every slot has writes in flight").isEmpty();
        disk.end(5);
        disk.end(2);
        disk.begin(101);
        var one = disk.log.next().orElseThrow();

        assertThat(one.extents()).containsExactly(100, 101);
        assertThat(one.cooled()).containsExactly(2, 5);
        disk.durable();
        disk.end(0);
        assertThat(disk.log.begin(0)).as("hot still").isTrue();
        assertThat(disk.log.begin(5)).isFalse();
    }

    /** At every crash, wherever the block under way is torn, what is in flight is hot in what the next process finds. */
    @ParameterizedTest
    @ValueSource(ints = {7, 64, 901, 2_500})
    void whateverWasInFlightAtACrashIsFound(int slots) {
        var random = new Random(slots);
        int crashes = 0;
        for (int run = 0; run < 40; run++) {
            var disk = new Disk(slots);
            if (run % 2 == 0) {
                disk.fill(10 * slots);
            }
            var open = new ArrayList<Integer>();
            disk.inFlight.forEach((extent, writes) -> open.add(extent));
            for (int step = 0; step < 300; step++) {
                if (random.nextInt(3) > 0 || open.isEmpty()) {
                    int extent = random.nextInt(4 * slots);
                    disk.begin(extent);
                } else {
                    disk.end(open.get(random.nextInt(open.size())));
                }
                var next = disk.log.next();
                if (next.isPresent()) {
                    var before = disk.ring.clone();
                    disk.write(next.get(), random.nextInt(ActivityLogRing.BLOCK_BYTES + 1));
                    disk.assertInFlightIsFound();
                    crashes++;
                    disk.ring = before;
                    disk.write(next.get(), ActivityLogRing.BLOCK_BYTES);
                    disk.durable();
                }
                disk.assertInFlightIsFound();
                open.clear();
                disk.inFlight.forEach((extent, writes) -> open.add(extent));
                if (random.nextInt(60) == 0) {
                    var found = disk.recovered();
                    disk.log = new ActivityLog(slots, found.nextSequence());
                    disk.inFlight.clear();
                    open.clear();
                }
            }
            assertThat(disk.recovered().hot().size()).isLessThanOrEqualTo(slots);
        }
        assertThat(crashes).isGreaterThan(1_000);
    }

    @Test
    void ringThatHasLostABlockIsToldAsDamaged() {
        int slots = 2_500;
        var disk = new Disk(slots);
        for (int extent = 0; extent < 10; extent++) {
            disk.begin(extent);
            disk.write(disk.log.next().orElseThrow(), ActivityLogRing.BLOCK_BYTES);
            disk.durable();
        }
        assertThat(disk.recovered().hot()).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
        int blocks = ActivityLogRing.blocks(slots);
        assertThat(blocks).isEqualTo(4);

        // The last is block 9 % 4 = 1; the one before it cannot have been torn by the crash.
        disk.ring[ActivityLogRing.BLOCK_BYTES - 1] ^= 1;
        assertThatThrownBy(disk::recovered)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("1 are damaged");
    }

    @Test
    void logOfTooManyOrTooFewExtentsIsRefused() {
        for (int slots : List.of(6, 65_535)) {
            assertThatThrownBy(() -> new ActivityLog(slots, 0)).hasMessageContaining("7 to 65534 extents");
        }
        assertThatThrownBy(() -> ActivityLogRing.recover(7, Arrays.copyOf(new byte[1], 4_096)))
                .hasMessageContaining("8192");
    }
}

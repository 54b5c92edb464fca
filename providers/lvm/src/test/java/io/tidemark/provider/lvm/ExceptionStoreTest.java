package io.tidemark.provider.lvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExceptionStoreTest {
    private static final int CHUNK_BYTES = 4096;
    private static final int ENTRIES = 256;
    private static final long VOLUME_BYTES = 1000L * CHUNK_BYTES;

    private static List<BlockRange> changed(StoreOnDisk disk) throws ProviderException {
        return ExceptionStore.open("test", disk).changed(VOLUME_BYTES);
    }

    private static BlockRange chunks(long first, long count) {
        return new BlockRange(first * CHUNK_BYTES, count * CHUNK_BYTES);
    }

    @Test
    void freshStoreHasNoChanges() throws Exception {
        assertThat(changed(new StoreOnDisk(10))).isEmpty();
    }

    @Test
    void changedChunksAreNamedInOrderAndJoined() throws Exception {
        var disk = new StoreOnDisk(20).add(7).add(999).add(6).add(0).add(8);

        assertThat(changed(disk)).containsExactly(chunks(0, 1), chunks(6, 3), chunks(999, 1));
        assertThat(ExceptionStore.open("test", disk).chunkBytes()).isEqualTo(CHUNK_BYTES);
    }

    @Test
    void lastChunkEndsWithTheVolume() throws Exception {
        var disk = new StoreOnDisk(20).add(3);

        assertThat(ExceptionStore.open("test", disk).changed(3 * CHUNK_BYTES + 512))
                .containsExactly(new BlockRange(3 * CHUNK_BYTES, 512));
    }

    @ParameterizedTest
    @ValueSource(ints = {255, 256, 257, 511, 512, 513})
    void everyAreaIsRead(int count) throws Exception {
        var disk = new StoreOnDisk(600);
        for (int chunk = 0; chunk < count; chunk++) {
            disk.add(chunk);
        }

        assertThat(changed(disk)).containsExactly(chunks(0, count));
    }

    /** As the kernel takes chunks: in order, past the tables, while a full area finds room for its next table. */
    private static int takes(int storeChunks) {
        int taken = 0;
        while (true) {
            int at = 2 + taken + taken / ENTRIES;
            boolean fills = taken % ENTRIES == ENTRIES - 1;
            int nextTable = 1 + (taken / ENTRIES + 1) * (ENTRIES + 1);
            if (at >= storeChunks || (fills && nextTable >= storeChunks)) {
                return taken;
            }
            taken++;
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 100, 257, 258, 259, 260, 261, 514, 515, 516, 517, 600})
    void roomIsWhatTheKernelWouldTake(int storeChunks) throws Exception {
        var disk = new StoreOnDisk(storeChunks);
        for (int kept = 0; kept < takes(storeChunks); kept++) {
            if (kept % 50 == 0) {
                var demand = ExceptionStore.open("test", disk).demand(List.of(), VOLUME_BYTES);
                assertThat(demand.freeChunks()).as("after %d", kept).isEqualTo(takes(storeChunks) - kept);
            }
            disk.add(kept);
        }
        assertThat(ExceptionStore.open("test", disk)
                        .demand(List.of(), VOLUME_BYTES)
                        .freeChunks())
                .isZero();
    }

    @Test
    void demandCountsEachChunkOnceThatIsNotKeptYet() throws Exception {
        var disk = new StoreOnDisk(20).add(1).add(5);
        var written = List.of(
                new BlockRange(100, 50),
                new BlockRange(200, CHUNK_BYTES),
                chunks(5, 2),
                new BlockRange(9 * CHUNK_BYTES, 512),
                new BlockRange(9 * CHUNK_BYTES + 1024, 512));

        var demand = ExceptionStore.open("test", disk).demand(written, VOLUME_BYTES);

        // 0, 6 and 9.
        assertThat(demand.lackingChunks()).isEqualTo(3);
    }

    /** Where the last area's table is the store's last chunk, or would lie behind it. */
    @ParameterizedTest
    @ValueSource(ints = {258, 259})
    void storeMayEndWithAFullArea(int storeChunks) throws Exception {
        var disk = new StoreOnDisk(storeChunks);
        for (int chunk = 0; chunk < ENTRIES; chunk++) {
            disk.add(2L * chunk);
        }

        assertThat(changed(disk)).hasSize(ENTRIES);
    }

    @Test
    void whatOverflowedIsToldWithItsSize() {
        var disk = new StoreOnDisk(10);
        disk.content.putInt(4, 0);

        assertCorrupt(disk, "invalid: its exception store of 40960 bytes overflowed");
    }

    @Test
    void storeThatOverflowsWhileItIsReadIsNotBelieved() throws Exception {
        var disk = new StoreOnDisk(10).add(3);
        disk.validReads = 2;
        var store = ExceptionStore.open("test", disk);

        assertThatThrownBy(() -> store.changed(VOLUME_BYTES)).hasMessageContaining("overflowed");
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0, magic",
        "8, 2, version",
        "12, 0, sectors",
        "12, 7, sectors",
        "12, 9, sectors",
        "12, -1, sectors",
        "12, 2048, sectors"
    })
    void headerThatIsNoneIsCorrupt(int at, int value, String said) {
        var disk = new StoreOnDisk(10);
        disk.content.putInt(at, value);

        assertCorrupt(disk, said);
    }

    @Test
    void storeWithoutAHeaderIsCorrupt() {
        var empty = new ExceptionStore.Bytes() {
            @Override
            public long sizeBytes() {
                return 512;
            }

            @Override
            public ByteBuffer read(long offsetBytes, int lengthBytes) {
                throw new AssertionError("there is nothing to read");
            }
        };

        assertThatThrownBy(() -> ExceptionStore.open("test", empty)).isInstanceOf(ProviderException.class);
    }

    @ParameterizedTest
    @CsvSource({"1000, 2", "-1, 2", "9223372036854775807, 2", "1, 1", "1, 10", "1, -1", "1, 72057594037927938"})
    void entriesThatCannotBeAreCorrupt(long from, long kept) {
        var disk = new StoreOnDisk(10);
        disk.content.putLong(CHUNK_BYTES, from).putLong(CHUNK_BYTES + 8, kept);

        assertCorrupt(disk, "entry 0 of area chunk 1");
    }

    private static void assertCorrupt(StoreOnDisk disk, String said) {
        assertThatThrownBy(() -> changed(disk))
                .isInstanceOfSatisfying(
                        ProviderException.class, e -> assertThat(e.error()).isInstanceOf(ProviderError.Corrupt.class))
                .hasMessageContaining(said);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void randomStoresNameWhatWasPutIn(long seed) throws Exception {
        var random = new Random(seed);
        var disk = new StoreOnDisk(900);
        var put = new TreeSet<Long>();
        int count = random.nextInt(700);
        while (put.size() < count) {
            long chunk = random.nextInt(1000);
            if (put.add(chunk)) {
                disk.add(chunk);
            }
        }

        var named = new BitSet();
        for (var range : changed(disk)) {
            named.set((int) (range.offsetBytes() / CHUNK_BYTES), (int) (range.endBytes() / CHUNK_BYTES));
        }

        assertThat(named.stream().asLongStream().boxed()).as("seed %d", seed).containsExactlyElementsOf(put);
    }

    /** Whatever lies there: an answer within the volume, or Corrupt; nothing else, and no end of memory or time. */
    @Test
    void garbageIsAnsweredWithRangesOfTheVolumeOrCorrupt() throws Exception {
        var said = new ArrayList<String>();
        for (long seed = 0; seed < 3_000; seed++) {
            var random = new Random(seed);
            var disk = new StoreOnDisk(1 + random.nextInt(40));
            for (int changes = random.nextInt(60); changes >= 0; changes--) {
                int at = random.nextInt(3) == 0 ? random.nextInt(16) : random.nextInt(disk.content.capacity());
                disk.content.put(at, (byte) random.nextInt(256));
            }
            if (seed % 5 == 0) {
                random.nextBytes(disk.content.array());
                disk.content.putInt(0, 0x70416e53).putInt(4, 1).putInt(8, 1).putInt(12, 8 << random.nextInt(8));
            }
            try {
                for (var range : changed(disk)) {
                    assertThat(range.endBytes()).as("seed %d", seed).isLessThanOrEqualTo(VOLUME_BYTES);
                }
                said.add("ranges");
            } catch (ProviderException e) {
                assertThat(e.error()).as("seed %d", seed).isInstanceOf(ProviderError.Corrupt.class);
                said.add("corrupt");
            }
        }
        assertThat(said).contains("ranges", "corrupt");
    }
}

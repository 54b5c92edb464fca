package io.tidemark.provider.lvm;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class CutMarkTest {
    private static final SnapshotId SNAPSHOT =
            new SnapshotId(VolumeId.of("lvm", "vg/orders"), new RecoveryPointId("rp-1"));
    private static final SnapshotId OTHER =
            new SnapshotId(VolumeId.of("lvm", "vg/orders"), new RecoveryPointId("rp-2"));

    private static ByteBuffer storeWith(ByteBuffer mark) {
        return ByteBuffer.allocate(4096).put(512, mark, 0, 512);
    }

    @Test
    void markIsOfOneSnapshot() {
        var store = storeWith(CutMark.of(SNAPSHOT));

        assertThat(CutMark.isIn(store, SNAPSHOT)).isTrue();
        assertThat(CutMark.isIn(store, OTHER)).isFalse();
        assertThat(CutMark.isIn(ByteBuffer.allocate(4096), SNAPSHOT)).isFalse();
    }

    @Test
    void everyByteOfAMarkCounts() {
        for (int at = 512; at < 1024; at++) {
            var store = storeWith(CutMark.of(SNAPSHOT));
            store.put(at, (byte) (store.get(at) ^ 1));

            assertThat(CutMark.isIn(store, SNAPSHOT)).as("byte %d", at).isFalse();
        }
    }

    /** docs/formats/cut-mark.md. */
    @Test
    void markIsLaidOutAsDocumented() {
        var mark = CutMark.of(SNAPSHOT);
        var magic = new byte[8];
        mark.get(0, magic);

        assertThat(new String(magic, StandardCharsets.US_ASCII)).isEqualTo("TMCUTMRK");
        assertThat(mark.getInt(8)).isEqualTo(1);
        assertThat(mark.getInt(12)).isEqualTo(512);
        assertThat(mark.getInt(48)).isZero();
        assertThat(mark.getInt(508)).isNotZero();
    }
}

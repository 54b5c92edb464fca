package io.tidemark.provider.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ImageRecordTest {
    private static final ImageRecord RECORD = new ImageRecord(
            ImageRecord.Kind.SNAPSHOT,
            SnapshotId.parse("image:orders/data@rp-7f"),
            1 << 30,
            Instant.parse("2026-11-23T01:02:03.000000004Z"),
            CutMethod.SUBVOLUME);

    @Test
    void recordIsReadAsItWasWritten() throws Exception {
        assertThat(ImageRecord.decode(RECORD.encode())).isEqualTo(RECORD);
    }

    /** The bytes of docs/formats/image-records.md: what is on disks must be read for ever. */
    @Test
    void bytesOfARecordNeverChange() {
        assertThat(HexFormat.of().formatHex(RECORD.encode()))
                .isEqualTo("54494445494d4752000101010000000040000000000000006b03908b00000004"
                        + "0017696d6167653a6f72646572732f646174614072702d376687f55a40");
    }

    @Test
    void everyFlippedBitAndEveryOtherLengthIsFound() {
        var whole = RECORD.encode();
        for (int bit = 0; bit < whole.length * 8; bit++) {
            var flipped = whole.clone();
            flipped[bit / 8] ^= (byte) (1 << bit % 8);
            assertThatThrownBy(() -> ImageRecord.decode(flipped)).isInstanceOf(ImageRecord.DamagedException.class);
        }
        for (int length = 0; length < whole.length + 5; length++) {
            var other = Arrays.copyOf(whole, length);
            if (length != whole.length) {
                assertThatThrownBy(() -> ImageRecord.decode(other)).isInstanceOf(ImageRecord.DamagedException.class);
            }
        }
    }

    @Test
    void namesOnDiskAreReadBackAndNeverMeet() {
        var names = List.of("a", "a/b", "a.b", "a_b", "a-b", "a.record", "a.old", "a.img", "a.partial", "A/", "0//x");
        var entries = names.stream()
                .map(name -> ImageNames.entry(VolumeId.of("image", name)))
                .toList();

        assertThat(entries).doesNotHaveDuplicates().noneMatch(entry -> entry.contains("/"));
        for (int index = 0; index < names.size(); index++) {
            assertThat(ImageNames.volume(entries.get(index)))
                    .isEqualTo(Optional.of(VolumeId.of("image", names.get(index))));
            var snapshot = SnapshotId.parse("image:" + names.get(index) + "@rp-1");
            assertThat(ImageNames.snapshot(ImageNames.entry(snapshot))).isEqualTo(Optional.of(snapshot));
        }
        for (var foreign : List.of(".tidemark", ".hidden", "a b", "a..b", "ä", "", "a@rp-1")) {
            assertThat(ImageNames.volume(foreign)).as(foreign).isEmpty();
        }
        for (var foreign : List.of("a", "a@", "a@rp-", "a@rp-1.img", "@rp-1", "a@rp-1@x")) {
            assertThat(ImageNames.snapshot(foreign)).as(foreign).isEmpty();
        }
    }
}

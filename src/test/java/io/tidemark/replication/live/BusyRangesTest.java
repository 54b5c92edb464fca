package io.tidemark.replication.live;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BusyRangesTest {
    private final BusyRanges busy = new BusyRanges();

    @Test
    void aRangeIsBusyFromItsFirstByteToItsLast() {
        assertThat(busy.overlap(0, 1 << 20)).isFalse();
        busy.add(4_096, 4_096);
        busy.add(12_288, 512);

        assertThat(busy.overlap(0, 4_096)).isFalse();
        assertThat(busy.overlap(0, 4_097)).isTrue();
        assertThat(busy.overlap(8_191, 1)).isTrue();
        assertThat(busy.overlap(8_192, 4_096)).isFalse();
        assertThat(busy.overlap(8_192, 4_097)).isTrue();
        assertThat(busy.overlap(12_799, 1 << 20)).isTrue();
        assertThat(busy.overlap(12_800, 1 << 20)).isFalse();
        assertThat(busy.overlap(0, 1 << 20)).isTrue();
    }

    @Test
    void whatHasEndedIsFree() {
        busy.add(4_096, 4_096);
        busy.add(12_288, 512);
        busy.remove(4_096);

        assertThat(busy.overlap(0, 12_288)).isFalse();
        assertThat(busy.overlap(0, 12_289)).isTrue();
    }
}

package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ZfsCommandsTest {
    /** Of the longest names and all properties. */
    private static final int SNAPSHOT_BYTES = 2_500;

    @Test
    void reportOfAHundredThousandSnapshotsIsReadWhole() {
        assertThat(ZfsCommands.listing("tank").outputBytesMaximum()).isGreaterThan(100_000 * SNAPSHOT_BYTES);
    }
}

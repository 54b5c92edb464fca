package io.tidemark.provider.fakecloud.gce;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** 10,000 disks with 100,000 snapshots fit into memory. */
class LargeProjectTest extends GceChecked {
    private static final long BYTES_MAXIMUM = 200L << 20;

    @Test
    void aProjectOfAHundredThousandSnapshotsFitsIntoMemory() {
        long before = usedBytes();
        cloud.fill("europe-west3-a", 10_000, 10, Map.of("tidemark_installation", "i-1"));
        long taken = usedBytes() - before;

        System.out.printf("100,000 snapshots of 10,000 disks: %d MiB%n", taken >> 20);
        assertThat(taken).isLessThan(BYTES_MAXIMUM);
        assertThat(cloud.snapshots()).hasSize(100_000);
    }

    private static long usedBytes() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}

package io.tidemark.provider.fakecloud.aws;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.CallCount;
import java.lang.management.ManagementFactory;
import java.util.HashSet;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** 10,000 volumes with 100,000 snapshots fit, and are listed in as many calls as pages. */
class LargeAccountTest extends ModelChecked {
    private static final long BYTES_MAXIMUM = 200L << 20;

    @Test
    void anAccountOfAHundredThousandSnapshotsFitsIntoMemory() throws Exception {
        long before = usedBytes();
        aws.fill(10_000, 10, Map.of("tidemark:installation", "i-1"));
        long taken = usedBytes() - before;

        var seen = new HashSet<String>();
        String token = "";
        do {
            var page = token.isEmpty()
                    ? wire.ec2("DescribeSnapshots", "Owner.1", "self", "MaxResults", "1000")
                    : wire.ec2("DescribeSnapshots", "Owner.1", "self", "MaxResults", "1000", "NextToken", token);
            seen.addAll(page.all("snapshotId"));
            token = page.one("nextToken");
        } while (!token.isEmpty());

        System.out.printf("100,000 snapshots of 10,000 volumes: %d MiB%n", taken >> 20);
        assertThat(taken).isLessThan(BYTES_MAXIMUM);
        assertThat(seen).hasSize(100_000);
        assertThat(aws.calls().get("DescribeSnapshots")).isEqualTo(new CallCount(100, 100, 100));
    }

    private static long usedBytes() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}

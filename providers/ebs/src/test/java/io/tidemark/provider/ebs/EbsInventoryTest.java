package io.tidemark.provider.ebs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.CallCount;
import io.tidemark.provider.fakecloud.aws.FakeAws;
import io.tidemark.provider.fakecloud.aws.FakeAwsSettings;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import java.util.HashSet;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A large account is listed through the provider in as many calls as paging needs. */
class EbsInventoryTest {
    private static final int VOLUMES = 10_000;
    private static final int SNAPSHOTS_OF_EACH = 10;
    private static final int SNAPSHOTS = VOLUMES * SNAPSHOTS_OF_EACH;
    private static final long CALLS_LEAST = VOLUMES / Ec2Calls.PAGE_MAXIMUM + SNAPSHOTS / Ec2Calls.PAGE_MAXIMUM;
    private static final long MEMORY_BYTES_MAXIMUM = 512L << 20;

    @Test
    void tenThousandVolumesAndAHundredThousandSnapshotsAreListedInTheCallsThatPagingNeeds() throws Exception {
        try (var cloud = FakeAws.start(FakeAwsSettings.defaults());
                var provider = EbsAccount.open(cloud)) {
            cloud.fill(
                    VOLUMES,
                    Map.of(),
                    IntStream.range(0, SNAPSHOTS_OF_EACH)
                            .mapToObj(each ->
                                    Map.of(EbsNames.INSTALLATION, "tests", EbsNames.RECOVERY_POINT, "rp-" + each))
                            .toList());
            long before = usedBytes();
            long began = System.nanoTime();

            var volumes = provider.volumes();
            var found = new HashSet<SnapshotId>();
            var query = SnapshotQuery.everything();
            var page = provider.snapshots(query);
            page.snapshots().forEach(each -> found.add(each.id()));
            while (page.nextCursor().isPresent()) {
                page = provider.snapshots(query.after(page.nextCursor().get()));
                page.snapshots().forEach(each -> found.add(each.id()));
            }

            double seconds = (System.nanoTime() - began) / 1e9;
            long bytes = usedBytes() - before;
            long calls =
                    cloud.calls().values().stream().mapToLong(CallCount::seen).sum();
            System.out.printf(
                    "%d volumes, %d snapshots: %.1f s, %d MiB, %d calls, %d at least%n",
                    volumes.size(), found.size(), seconds, bytes >> 20, calls, CALLS_LEAST);
            assertThat(volumes).hasSize(VOLUMES);
            assertThat(found).hasSize(SNAPSHOTS);
            assertThat(calls).isLessThanOrEqualTo(CALLS_LEAST * 12 / 10);
            assertThat(bytes).isLessThan(MEMORY_BYTES_MAXIMUM);
            EbsAccount.everyCallIsChecked(cloud);
        }
    }

    /** What is kept, the garbage of the calls not counted. */
    private static long usedBytes() {
        System.gc();
        var runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }
}

package io.tidemark.provider.azure;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.azure.FakeAzure;
import io.tidemark.provider.fakecloud.azure.FakeAzureSettings;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A large account is listed in as many calls as its pages are, and not much memory. */
class AzureInventoryTest {
    private static final int DISKS = 10_000;
    private static final int SNAPSHOTS_OF_EACH = 10;
    private static final int PAGE = 1_000;

    @Test
    void aLargeAccountIsListedInTheLeastCalls() throws Exception {
        try (var cloud = FakeAzure.start(FakeAzureSettings.defaults().withPages(PAGE))) {
            var config = AzureAccount.config(cloud, cloud.endpoint().toString(), Map.of());
            cloud.fill(AzureAccount.GROUP, DISKS, SNAPSHOTS_OF_EACH, (disk, number) -> tags(config, disk, number));
            long before = used();
            long began = System.nanoTime();
            var provider = AzureAccount.open(cloud);

            var volumes = provider.volumes();
            var page = provider.snapshots(SnapshotQuery.everything());
            int listed = page.snapshots().size();
            while (page.nextCursor().isPresent()) {
                page = provider.snapshots(
                        SnapshotQuery.everything().after(page.nextCursor().get()));
                listed += page.snapshots().size();
            }

            long seconds = Duration.ofNanos(System.nanoTime() - began).toSeconds();
            long mebibytes = (used() - before) >> 20;
            long calls = cloud.calls().values().stream()
                    .mapToLong(each -> each.seen())
                    .sum();
            System.out.printf("%d s, %d calls, %d MiB kept%n", seconds, calls, mebibytes);
            assertThat(volumes).hasSize(DISKS);
            assertThat(listed).isEqualTo(DISKS * SNAPSHOTS_OF_EACH);
            assertThat(calls).isLessThanOrEqualTo((DISKS + DISKS * SNAPSHOTS_OF_EACH) / PAGE * 12 / 10);
            assertThat(seconds).isLessThan(60);
            assertThat(mebibytes).isLessThan(512);
            AzureAccount.everyCallIsChecked(cloud);
        }
    }

    private static Map<String, String> tags(AzureConfig config, String disk, int number) {
        var id = new SnapshotId(AzureAccount.volume(disk), new RecoveryPointId("rp-%d".formatted(number)));
        var tags = new HashMap<>(AzureNames.tagsOf(config, id));
        tags.put("name", AzureNames.snapshotName(config, id));
        return tags;
    }

    private static long used() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }
}

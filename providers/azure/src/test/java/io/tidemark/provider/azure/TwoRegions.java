package io.tidemark.provider.azure;

import io.tidemark.provider.fakecloud.azure.FakeAzure;
import io.tidemark.provider.fakecloud.azure.FakeAzureSettings;
import io.tidemark.provider.fakecloud.azure.FakeSnapshot;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/** Two regions of one subscription, and one resource group: what is cut in the first is copied to the second. */
final class TwoRegions implements AutoCloseable {
    final FakeAzure cloud;
    final AzureProvider source;
    private final AzureConfig there;

    TwoRegions(FakeAzureSettings settings) {
        cloud = FakeAzure.inProcess(settings);
        var regions = settings.locations();
        var here = config("west", regions.get(0));
        there = config("north", regions.get(1));
        source = open(here, new AtomicBoolean());
        // What a process before may have made is seen by now.
        cloud.clock().advance(RecentEffects.VISIBLE_WITHIN);
    }

    AzureConfig config(String name, String location) {
        return AzureConfig.of(
                name,
                Map.of(
                        "subscription",
                        cloud.settings().subscription(),
                        "location",
                        location,
                        "resourceGroup",
                        AzureAccount.GROUP,
                        "installation",
                        "tests",
                        "endpoint",
                        "http://127.0.0.1"));
    }

    AzureProvider open(AzureConfig config, AtomicBoolean dead) {
        return AzureAccount.open(config, AzureAccount.clients(config, () -> cloud), cloud.clock(), dead);
    }

    /** A process of the destination's. */
    AzureProvider start(AtomicBoolean dead) {
        return open(there, dead);
    }

    /** A snapshot of a new disk of 1 GiB whose first byte is given. */
    SnapshotId cut(String disk, String recoveryPoint, int firstByte) throws Exception {
        var made = cloud.disks().stream()
                .filter(each -> each.name.equals(disk))
                .findFirst()
                .orElseGet(() -> cloud.createDisk(AzureAccount.GROUP, disk, 1));
        made.write(0, new byte[] {(byte) firstByte});
        var id = new SnapshotId(VolumeId.of("west", disk), new RecoveryPointId(recoveryPoint));
        source.cut(new CutRequest(id.recoveryPoint(), List.of(id.volume())));
        return id;
    }

    static SnapshotId copyOf(SnapshotId snapshot) {
        return new SnapshotId(VolumeId.of("north", snapshot.volume().name()), snapshot.recoveryPoint());
    }

    /** What Azure has in the destination. */
    List<FakeSnapshot> copies() {
        return cloud.snapshots().stream()
                .filter(each -> each.location.equals(there.location()))
                .toList();
    }

    @Override
    public void close() {
        source.close();
        AzureAccount.everyCallIsChecked(cloud);
        cloud.close();
    }
}

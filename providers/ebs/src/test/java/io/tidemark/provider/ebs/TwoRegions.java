package io.tidemark.provider.ebs;

import io.tidemark.provider.fakecloud.aws.FakeAws;
import io.tidemark.provider.fakecloud.aws.FakeAwsSettings;
import io.tidemark.provider.fakecloud.aws.FakeSnapshot;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/** Two regions of one emulated account: snapshots are cut in Frankfurt and copied to Ireland. */
final class TwoRegions implements AutoCloseable {
    static final String FRANKFURT = "eu-central-1";
    static final String IRELAND = "eu-west-1";

    final FakeAws cloud;
    final EbsProvider source;
    private final EbsConfig there;
    private final AwsClients clientsThere;

    TwoRegions(FakeAwsSettings settings, int copiesMaximum) throws Exception {
        cloud = FakeAws.start(settings.regions(FRANKFURT, IRELAND));
        var here = config("frankfurt", FRANKFURT, copiesMaximum);
        source = EbsAccount.open(here, EbsAccount.clients(here), cloud.clock(), new AtomicBoolean());
        there = config("ireland", IRELAND, copiesMaximum);
        clientsThere = EbsAccount.clients(there);
        // What a process before may have made is seen by now.
        cloud.clock().advance(RecentEffects.VISIBLE_WITHIN);
    }

    private EbsConfig config(String name, String region, int copiesMaximum) {
        var address = cloud.endpoint(region).toString();
        return EbsConfig.of(
                name,
                Map.of(
                        "region",
                        region,
                        "installation",
                        "tests",
                        "ec2Endpoint",
                        address,
                        "ebsEndpoint",
                        address,
                        "publishedRates",
                        "ignore",
                        "copiesMaximum",
                        String.valueOf(copiesMaximum)));
    }

    /** A process of the destination's; what a process before may have made is not known to it. */
    EbsProvider start(AtomicBoolean dead) throws Exception {
        return EbsAccount.open(there, clientsThere, cloud.clock(), dead);
    }

    /** As {@link #start}, and the time is over in which that may yet be seen. */
    EbsProvider settled() throws Exception {
        var provider = start(new AtomicBoolean());
        cloud.clock().advance(RecentEffects.VISIBLE_WITHIN);
        return provider;
    }

    AwsClients clientsThere() {
        return clientsThere;
    }

    /** A snapshot of a new volume of 1 GiB whose first byte is given. */
    SnapshotId cut(String recoveryPoint, int firstByte) throws Exception {
        var made = cloud.createVolume(1, Map.of());
        made.write(0, new byte[] {(byte) firstByte});
        var volume = VolumeId.of("frankfurt", made.id());
        var point = new RecoveryPointId(recoveryPoint);
        source.cut(new CutRequest(point, List.of(volume)));
        return new SnapshotId(volume, point);
    }

    static SnapshotId copyOf(SnapshotId snapshot) {
        return new SnapshotId(VolumeId.of("ireland", snapshot.volume().name()), snapshot.recoveryPoint());
    }

    /** What Amazon has of ours in the destination. */
    List<FakeSnapshot> copies() {
        return cloud.snapshots(IRELAND);
    }

    @Override
    public void close() {
        EbsAccount.everyCallIsChecked(cloud);
        source.close();
        clientsThere.close();
        cloud.close();
    }
}

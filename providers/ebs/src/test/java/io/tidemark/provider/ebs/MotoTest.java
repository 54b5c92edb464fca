package io.tidemark.provider.ebs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.provider.devices.Mounts;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;

/**
 * Against moto, an emulator by others: that requests are of a shape that somebody else reads, and answers by somebody else are
 * read. Not what the calls mean: moto does not know pending snapshots, pages, lineage or checksums. What it is known to
 * answer wrongly is kept here, so that the day it is mended these tests say so.
 */
class MotoTest {
    private static final StaticCredentialsProvider CREDENTIALS =
            StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test"));

    private static MotoServer moto;
    private static AwsClients clients;
    private static EbsProvider provider;

    @BeforeAll
    static void start() throws Exception {
        moto = MotoServer.start();
        var config = EbsConfig.of(
                "ebs",
                Map.of(
                        "region",
                        "eu-west-1",
                        "installation",
                        "tests",
                        "ec2Endpoint",
                        moto.address().toString(),
                        "ebsEndpoint",
                        moto.address().toString(),
                        "publishedRates",
                        "ignore"));
        clients = new AwsClients(config, CREDENTIALS);
        var attempts = new Attempts(new Random(1), pause -> {});
        var noDisks = new HostDisks(Path.of("/nonexistent"), Mounts.ofHost());
        provider = new EbsProvider(
                config,
                clients,
                attempts,
                InstantSource.system(),
                System::nanoTime,
                () -> noDisks,
                EbsProvider.Staging.ofHost());
    }

    @AfterAll
    static void stop() throws Exception {
        if (provider != null) {
            provider.close();
        }
        if (moto != null) {
            moto.close();
        }
    }

    @Test
    void snapshotLivesFromItsCutToItsDeletion() throws Exception {
        var volume = volume();
        var request = new CutRequest(new RecoveryPointId("rp-life"), List.of(volume));
        provider.prepare(request);

        var cut = provider.cut(request);
        var again = provider.cut(request);

        var id = new SnapshotId(volume, request.recoveryPoint());
        assertThat(cut.atomic()).isTrue();
        assertThat(cut.members().getFirst().startedNanos()).isPositive();
        assertThat(again.members().getFirst().startedNanos()).isZero();
        assertThat(provider.snapshots(SnapshotQuery.ofVolume(volume)).snapshots())
                .extracting(Snapshot::id)
                .containsExactly(id);
        assertThat(provider.readiness(id)).isInstanceOf(Readiness.Ready.class);

        provider.hold(id, new HoldOwner("link-1"));
        var refused = Assertions.assertThrows(ProviderException.class, () -> provider.delete(id));
        assertThat(refused.error()).isInstanceOf(ProviderError.Held.class);
        provider.release(id, new HoldOwner("link-1"));
        assertThat(provider.delete(id)).isEqualTo(new Step.Done<>(true));
        assertThat(provider.delete(id)).isEqualTo(new Step.Done<>(true));
        assertThat(provider.snapshots(SnapshotQuery.ofVolume(volume)).snapshots())
                .isEmpty();
    }

    @Test
    void cloneIsMadeOnceAndRemoved() throws Exception {
        var volume = volume();
        var request = new CutRequest(new RecoveryPointId("rp-clone"), List.of(volume));
        provider.cut(request);
        var clone =
                new CloneRequest(new SnapshotId(volume, request.recoveryPoint()), VolumeId.of("ebs", "orders-test"));

        var made = provider.clone(clone);
        var again = provider.clone(clone);

        assertThat(made).isInstanceOf(Step.Done.class).isEqualTo(again);
        assertThat(provider.volumes()).extracting(Volume::id).contains(clone.name(), volume);
        provider.remove(clone.name());
        assertThat(provider.volumes()).extracting(Volume::id).doesNotContain(clone.name());
    }

    @Test
    void absentVolumeIsNotFound() {
        var absent = VolumeId.of("ebs", "vol-00000000000000000");

        var refused = Assertions.assertThrows(ProviderException.class, () -> provider.volume(absent));

        assertThat(refused.error()).isEqualTo(new ProviderError.VolumeNotFound(absent));
    }

    /** Which is wrong: blocks have 524,288 bytes. */
    @Test
    void motoTellsBlocksOf512Bytes() throws Exception {
        var started = clients.direct().startSnapshot(request -> request.volumeSize(1L));
        var listed = clients.direct().listSnapshotBlocks(request -> request.snapshotId(started.snapshotId()));

        assertThat(listed.blockSize()).isEqualTo(512);
    }

    /** Which is wrong: a page has at most as many as were asked for. */
    @Test
    void motoIgnoresMaxResults() {
        var listed = clients.ec2().describeSnapshots(request -> request.maxResults(5));

        assertThat(listed.snapshots()).hasSizeGreaterThan(5);
    }

    private static VolumeId volume() {
        var made = clients.ec2()
                .createVolume(request -> request.availabilityZone("eu-west-1a").size(1));
        return VolumeId.of("ebs", made.volumeId());
    }
}

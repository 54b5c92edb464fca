package io.tidemark.provider.ebs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.provider.devices.Mounts;
import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.aws.FakeAws;
import io.tidemark.provider.fakecloud.aws.FakeAwsSettings;
import io.tidemark.provider.fakecloud.aws.FakeVolume;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkClientException;

/** What Amazon shows late, and what others do meanwhile. */
class EbsVisibilityTest {
    private static final RecoveryPointId POINT = new RecoveryPointId("rp-1");

    private FakeAws cloud;
    private EbsConfig config;
    private AwsClients clients;
    private EbsProvider provider;

    @BeforeEach
    void start() throws Exception {
        cloud = FakeAws.start(FakeAwsSettings.defaults());
        config = EbsAccount.config("eu-central-1", cloud.endpoint().toString());
        clients = EbsAccount.clients(config);
        provider = EbsAccount.open(cloud);
        // What a process before may have made is seen by now.
        cloud.clock().advance(RecentEffects.VISIBLE_WITHIN);
    }

    @AfterEach
    void stop() {
        EbsAccount.everyCallIsChecked(cloud);
        provider.close();
        clients.close();
        cloud.close();
    }

    @Test
    void snapshotThatDeleteDoesNotKnowYetIsNotTakenForDeleted() throws Exception {
        var volume = cloud.createVolume(1, Map.of());
        cloud.faults(FaultScript.none().on("CreateSnapshot", 1, Fault.INVISIBLE));
        var id = cut(volume);

        Step<Boolean> step = provider.delete(id);
        for (int count = 0; count < 5 && step instanceof Step.Running<Boolean> running; count++) {
            assertThat(cloud.snapshots()).isNotEmpty();
            step = resumed(running);
        }

        assertThat(step).isEqualTo(new Step.Done<>(true));
        assertThat(cloud.snapshots()).isEmpty();
    }

    @Test
    void whatTheProcessBeforeMayHaveMadeIsWaitedFor() throws Exception {
        var volume = cloud.createVolume(1, Map.of());
        var id = new SnapshotId(EbsAccount.volume(volume.id()), POINT);
        var next = EbsAccount.open(cloud);

        assertThat(next.delete(id)).isInstanceOf(Step.Running.class);
        cloud.clock().advance(RecentEffects.VISIBLE_WITHIN);
        assertThat(next.delete(id)).isEqualTo(new Step.Done<>(true));
        next.close();
    }

    @Test
    void pagesOfOneListAreNotThoseOfAnother() throws Exception {
        var one = cloud.createVolume(1, Map.of());
        var other = cloud.createVolume(1, Map.of());
        for (int count = 0; count < 6; count++) {
            cut(one, "rp-a" + count);
            cut(other, "rp-b" + count);
        }
        var all = new ArrayList<SnapshotId>();
        var query = new SnapshotQuery(Optional.empty(), Optional.empty(), Optional.empty(), 5);
        var page = provider.snapshots(query);
        while (true) {
            page.snapshots().stream().map(Snapshot::id).forEach(all::add);
            if (page.nextCursor().isEmpty()) {
                break;
            }
            provider.snapshots(SnapshotQuery.ofVolume(EbsAccount.volume(one.id())));
            page = provider.snapshots(query.after(page.nextCursor().get()));
        }

        assertThat(all).hasSize(12).doesNotHaveDuplicates();
    }

    @Test
    void pageGoesOnInAnotherProcess() throws Exception {
        var volume = cloud.createVolume(1, Map.of());
        for (int count = 0; count < 4; count++) {
            cut(volume, "rp-a" + count);
        }
        var query = new SnapshotQuery(Optional.empty(), Optional.empty(), Optional.empty(), 3);
        var first = provider.snapshots(query);
        var next = EbsAccount.open(cloud);

        var second = next.snapshots(query.after(first.nextCursor().orElseThrow()));

        assertThat(second.snapshots()).hasSize(1);
        next.close();
    }

    @Test
    void snapshotOfAVolumeThatWasAttachedMeanwhileIsDeletedAgain() throws Exception {
        var one = cloud.createVolume(1, Map.of());
        var two = cloud.createVolume(1, Map.of());
        var late = cloud.createVolume(1, Map.of());
        var instance = cloud.createInstance(List.of(one, two));
        var request = new CutRequest(POINT, List.of(EbsAccount.volume(one.id()), EbsAccount.volume(two.id())));
        provider.prepare(request);
        clients.ec2()
                .attachVolume(
                        ask -> ask.volumeId(late.id()).instanceId(instance).device("/dev/sdz"));

        var cut = provider.cut(request);

        assertThat(cut.atomic()).isTrue();
        assertThat(cut.members()).hasSize(2);
        provider.readiness(cut.members().getFirst().snapshot().id());
        assertThat(cloud.snapshots()).extracting(each -> each.volumeId()).containsExactlyInAnyOrder(one.id(), two.id());
    }

    @Test
    void cloneThatIsNotSeenYetIsRemoved() throws Exception {
        var volume = cloud.createVolume(1, Map.of());
        var id = cut(volume);
        cloud.faults(FaultScript.none().on("CreateVolume", 1, Fault.INVISIBLE));
        var name = VolumeId.of("ebs", "copy");
        provider.clone(new CloneRequest(id, name));

        provider.remove(name);

        assertThat(cloud.volumes()).extracting(FakeVolume::id).containsExactly(volume.id());
        assertThat(provider.volumes()).hasSize(1);
    }

    @Test
    void withoutCredentialsNothingWasAskedAndNothingIsInDoubt() throws Exception {
        var volume = cloud.createVolume(1, Map.of());
        AwsCredentialsProvider none = () -> {
            throw SdkClientException.create("Unable to load credentials");
        };
        var noDisks = new HostDisks(Path.of("/nonexistent"), Mounts.ofHost());
        var barred = new EbsProvider(
                config,
                new AwsClients(config, none),
                new Attempts(new Random(1), pause -> {}),
                cloud.clock(),
                System::nanoTime,
                () -> noDisks,
                EbsProvider.Staging.ofHost());
        var request = new CutRequest(POINT, List.of(EbsAccount.volume(volume.id())));

        for (int count = 0; count < 2; count++) {
            var refused = Assertions.assertThrows(ProviderException.class, () -> barred.cut(request));
            assertThat(refused.error()).isInstanceOf(ProviderError.Denied.class);
        }
        barred.close();
    }

    private SnapshotId cut(FakeVolume volume) throws Exception {
        return cut(volume, POINT.value());
    }

    private SnapshotId cut(FakeVolume volume, String recoveryPoint) throws Exception {
        var request = new CutRequest(new RecoveryPointId(recoveryPoint), List.of(EbsAccount.volume(volume.id())));
        cloud.clock().advance(Duration.ofSeconds(1));
        return provider.cut(request).members().getFirst().snapshot().id();
    }

    @SuppressWarnings("unchecked") // resume answers the type of the call that gave the handle, says the SPI
    private Step<Boolean> resumed(Step.Running<Boolean> running) throws Exception {
        return (Step<Boolean>) provider.resume(running.handle());
    }
}

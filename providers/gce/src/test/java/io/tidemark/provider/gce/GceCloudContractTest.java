package io.tidemark.provider.gce;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.provider.conformance.CloudContract;
import io.tidemark.provider.fakecloud.gce.DiscoveryModel;
import io.tidemark.provider.fakecloud.gce.FakeDisk;
import io.tidemark.provider.fakecloud.gce.FakeGceSettings;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** What the live tests do, against the fake. */
@SuppressWarnings("NullAway.Init") // A project is started before each test.
class GceCloudContractTest extends CloudContract {
    @TempDir
    Path folder;

    @TempDir
    Path devices;

    private GceProject project;
    private FakeDisk disk;

    @BeforeEach
    void start() throws Exception {
        project = new GceProject(FakeGceSettings.defaults()
                .creating(Duration.ofSeconds(2))
                .takes(Duration.ofMinutes(3))
                .operations(Duration.ofSeconds(5)));
        disk = project.cloud().createDisk(GceProject.ZONE, "orders", 1, Map.of());
        project.cloud().createInstance("europe-west3-a", "helper", devices);
        project.cloud().clock().advance(Duration.ofMinutes(1));
    }

    private Path log() {
        return folder.resolve("gce.jsonl");
    }

    /** What was written down can be judged again, and tells nobody's secrets. */
    @AfterEach
    void theLogCanBeReplayed() throws Exception {
        if (DiscoveryModel.available()) {
            assertThat(RecordingTransport.violations(log())).isEmpty();
        }
        assertThat(Files.readAllLines(log())).hasSizeGreaterThan(20);
        assertThat(Files.readString(log()))
                .doesNotContain(project.cloud().project())
                .doesNotContain("authorization")
                .contains("/global/snapshots", "attachDisk", "detachDisk");
        var spoilt = Files.writeString(log(), Files.readString(log()).replace("diskSizeGb", "diskSizeGigabytes"));
        if (DiscoveryModel.available()) {
            assertThat(RecordingTransport.violations(spoilt)).isNotEmpty();
        }
        project.everyCallIsChecked();
        assertThat(project.cloud().disks()).containsExactly(disk);
        project.close();
    }

    @Override
    protected StorageProvider open() throws Exception {
        var settings = new HashMap<>(GceProject.settings());
        settings.put("helper", "this");
        settings.put("helperDevices", devices.toString());
        var cloud = project.cloud();
        var transport = new RecordingTransport(new InProcessTransport(cloud), log(), cloud.project());
        var clients = new GceClients(GceClients.GOOGLE, transport, Optional.empty());
        Attempts.Sleeper sleeper = cloud.clock()::advance;
        var waiting = new GceWaiting(
                sleeper,
                () -> Duration.between(Instant.EPOCH, cloud.clock().instant()).toNanos());
        return new GceProvider(
                GceConfig.of("gce", settings),
                new GceConnection(() -> clients),
                new Attempts(new Random(1), sleeper),
                cloud.clock(),
                waiting,
                Runnable::run);
    }

    @Override
    protected VolumeId volume() {
        return GceProject.volume(disk);
    }

    @Override
    protected long sizeMaximumBytes() {
        return 1L << 30;
    }

    @Override
    protected Duration patience() {
        return Duration.ofHours(2);
    }

    @Override
    protected void pause(Duration time) {
        project.cloud().clock().advance(time);
    }
}

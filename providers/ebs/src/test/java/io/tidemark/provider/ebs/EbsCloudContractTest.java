package io.tidemark.provider.ebs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.conformance.CloudContract;
import io.tidemark.provider.fakecloud.aws.FakeAws;
import io.tidemark.provider.fakecloud.aws.ServiceModel;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** What the live tests do, against the fake. */
class EbsCloudContractTest extends CloudContract {
    private final FakeAws cloud = FakeAws.start();
    private final VolumeId volume =
            EbsAccount.volume(cloud.createVolume(1, Map.of()).id());

    @TempDir
    Path folder;

    private Path log = Path.of("ebs.jsonl");

    /** What was written down can be judged again, and tells nobody's secrets. */
    @AfterEach
    void theLogCanBeReplayed() throws Exception {
        if (ServiceModel.available()) {
            assertThat(RecordingHttp.violations(log)).isEmpty();
        }
        assertThat(Files.readAllLines(log)).hasSizeGreaterThan(20);
        assertThat(Files.readString(log))
                .doesNotContain(cloud.accountId())
                .doesNotContain("Credential=")
                .contains("CreateSnapshot");
        var spoilt = Files.writeString(log, Files.readString(log).replace("SnapshotId", "SnapshotIdentity"));
        if (ServiceModel.available()) {
            assertThat(RecordingHttp.violations(spoilt)).isNotEmpty();
        }
        EbsAccount.everyCallIsChecked(cloud);
        cloud.close();
    }

    @Override
    protected StorageProvider open() throws Exception {
        log = folder.resolve("ebs.jsonl");
        var config = EbsAccount.config("eu-central-1", cloud.endpoint().toString());
        var http = new RecordingHttp(new InProcessHttp(cloud, "eu-central-1", () -> false), log);
        var clients = new AwsClients(config, EbsAccount.CREDENTIALS, http);
        return EbsAccount.open(config, clients, cloud.clock(), new AtomicBoolean());
    }

    @Override
    protected VolumeId volume() {
        return volume;
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
        cloud.clock().advance(time);
    }
}

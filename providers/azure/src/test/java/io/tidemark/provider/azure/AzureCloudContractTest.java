package io.tidemark.provider.azure;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.conformance.CloudContract;
import io.tidemark.provider.fakecloud.azure.AzureModels;
import io.tidemark.provider.fakecloud.azure.FakeAzure;
import io.tidemark.provider.fakecloud.azure.FakeAzureSettings;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** What the live tests do, against the fake. */
class AzureCloudContractTest extends CloudContract {
    private final FakeAzure cloud =
            FakeAzure.inProcess(FakeAzureSettings.defaults().taking(Duration.ofSeconds(2), Duration.ofMinutes(1)));

    @TempDir
    Path folder;

    private Path log = Path.of("azure.jsonl");

    /** What was written down can be judged again, and tells nobody's secrets. */
    @AfterEach
    void theLogCanBeReplayed() throws Exception {
        assertThat(Files.readAllLines(log)).hasSizeGreaterThan(40);
        assertThat(Files.readString(log))
                .doesNotContain(cloud.settings().subscription())
                .doesNotContainPattern("\\bsig=[0-9a-f]")
                .contains("sig=redacted", "x-ms-previous-snapshot-url", "createOption");
        if (AzureModels.available()) {
            assertThat(RecordingHttp.violations(log)).isEmpty();
            var spoilt = Files.writeString(log, Files.readString(log).replace("createOption", "createOptions"));
            assertThat(RecordingHttp.violations(spoilt)).isNotEmpty();
        }
        AzureAccount.everyCallIsChecked(cloud);
        cloud.close();
    }

    @Override
    protected StorageProvider open() throws Exception {
        if (cloud.disks().isEmpty()) {
            cloud.createDisk(AzureAccount.GROUP, "live", 1).write(1 << 20, new byte[] {1});
        }
        log = folder.resolve("azure.jsonl");
        var config = AzureAccount.inProcess(cloud);
        var http = new RecordingHttp(new InProcessHttp(() -> cloud), log, config.subscription());
        var clients = new AzureClients(config, http, Optional.empty());
        return AzureAccount.open(config, clients, cloud.clock(), new AtomicBoolean());
    }

    @Override
    protected VolumeId volume() {
        return AzureAccount.volume("live");
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

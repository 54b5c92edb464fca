package io.tidemark.provider.ebs;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.provider.conformance.CloudContract;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.http.apache.ApacheHttpClient;

/**
 * Against Amazon itself, where the environment says which volume may be cut (docs/operating/live-tests.md); else it is
 * skipped, and says so. Writes what was said to {@code target/live}, redacted.
 */
@Timeout(4 * 60 * 60)
class EbsLiveTest extends CloudContract {
    private static final String REGION = System.getenv().getOrDefault("SNAPTEST_AWS_REGION", "");
    private static final String VOLUME = System.getenv().getOrDefault("SNAPTEST_AWS_VOLUME_ID", "");
    private static final String INSTALLATION =
            System.getenv().getOrDefault("SNAPTEST_PREFIX", "snaptest") + "-tidemark";
    private static final long SIZE_MAXIMUM_GIB =
            Long.parseLong(System.getenv().getOrDefault("SNAPTEST_MAX_COST_GIB", "8"));

    @BeforeEach
    void isAllowed() {
        boolean named = !REGION.isEmpty() && !VOLUME.isEmpty();
        if (!named) {
            System.err.println("SKIPPED: nothing is asked of Amazon; SNAPTEST_AWS_REGION and SNAPTEST_AWS_VOLUME_ID"
                    + " are not set");
        }
        Assumptions.assumeTrue(named, "SNAPTEST_AWS_REGION and SNAPTEST_AWS_VOLUME_ID are not set");
    }

    @Override
    protected StorageProvider open() throws Exception {
        var config =
                EbsConfig.of("ebs", Map.of("region", REGION, "installation", INSTALLATION, "publishedRates", "ignore"));
        var log = Files.createDirectories(Path.of("target", "live")).resolve("ebs.jsonl");
        var http = new RecordingHttp(ApacheHttpClient.create(), log);
        var clients =
                new AwsClients(config, DefaultCredentialsProvider.builder().build(), http);
        return new EbsProvider(
                config,
                clients,
                new Attempts(new Random(), Thread::sleep),
                InstantSource.system(),
                System::nanoTime,
                HostDisks::now,
                EbsProvider.Staging.ofHost());
    }

    @Override
    protected VolumeId volume() {
        return EbsAccount.volume(VOLUME);
    }

    @Override
    protected long sizeMaximumBytes() {
        return SIZE_MAXIMUM_GIB << 30;
    }

    @Override
    protected Duration patience() {
        return Duration.ofHours(1);
    }

    @Override
    protected void pause(Duration time) throws InterruptedException {
        Thread.sleep(time);
    }
}

package io.tidemark.provider.azure;

import com.azure.core.http.jdk.httpclient.JdkHttpClientBuilder;
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

/**
 * Against Azure itself, where the environment says which disk may be cut (docs/operating/live-tests.md); else it is
 * skipped, and says so. Writes what was said to {@code target/live}, redacted.
 */
@Timeout(4 * 60 * 60)
class AzureLiveTest extends CloudContract {
    private static final String SUBSCRIPTION = told("SNAPTEST_AZURE_SUBSCRIPTION", "");
    private static final String GROUP = told("SNAPTEST_AZURE_RG", "");
    private static final String LOCATION = told("SNAPTEST_AZURE_LOCATION", "");
    private static final String DISK = told("SNAPTEST_AZURE_DISK", "");
    private static final String INSTALLATION = told("SNAPTEST_PREFIX", "snaptest") + "-tidemark";
    private static final long SIZE_MAXIMUM_GIB = Long.parseLong(told("SNAPTEST_MAX_COST_GIB", "8"));

    private static String told(String variable, String otherwise) {
        return System.getenv().getOrDefault(variable, otherwise);
    }

    @BeforeEach
    void isAllowed() {
        boolean named = !SUBSCRIPTION.isEmpty() && !GROUP.isEmpty() && !LOCATION.isEmpty() && !DISK.isEmpty();
        var lacking = "SNAPTEST_AZURE_SUBSCRIPTION, SNAPTEST_AZURE_RG, SNAPTEST_AZURE_LOCATION and SNAPTEST_AZURE_DISK"
                + " are not all set";
        if (!named) {
            System.err.println("SKIPPED: nothing is asked of Azure; " + lacking);
        }
        Assumptions.assumeTrue(named, lacking);
    }

    @Override
    protected StorageProvider open() throws Exception {
        var config = AzureConfig.of(
                "azure",
                Map.of(
                        "subscription", SUBSCRIPTION,
                        "resourceGroup", GROUP,
                        "location", LOCATION,
                        "installation", INSTALLATION));
        var log = Files.createDirectories(Path.of("target", "live")).resolve("azure.jsonl");
        var http = new RecordingHttp(new JdkHttpClientBuilder().build(), log, config.subscription());
        var clients = new AzureClients(config, http, AzureClients.credential(config));
        var time = new AzureProvider.Time(InstantSource.system(), System::nanoTime, Thread::sleep);
        return new AzureProvider(config, clients, new Attempts(new Random(), Thread::sleep), time);
    }

    @Override
    protected VolumeId volume() {
        return AzureAccount.volume(DISK.toLowerCase(java.util.Locale.ROOT));
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

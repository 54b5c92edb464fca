package io.tidemark.provider.gce;

import com.google.api.client.http.javanet.NetHttpTransport;
import com.google.auth.oauth2.GoogleCredentials;
import io.tidemark.provider.cloud.Attempts;
import io.tidemark.provider.conformance.CloudContract;
import io.tidemark.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;

/**
 * Against Google itself, where the environment says which disk may be cut (docs/operating/live-tests.md); else it is
 * skipped, and says so. Writes what was said to {@code target/live}, redacted.
 */
@Timeout(4 * 60 * 60)
class GceLiveTest extends CloudContract {
    private static final String PROJECT = of("SNAPTEST_GCP_PROJECT", "");
    private static final String ZONE = of("SNAPTEST_GCP_ZONE", "");
    private static final String DISK = of("SNAPTEST_GCP_DISK", "");
    private static final String HELPER = of("SNAPTEST_GCP_HELPER", "");
    private static final String INSTALLATION = of("SNAPTEST_PREFIX", "snaptest") + "-tidemark";
    private static final long SIZE_MAXIMUM_GIB = Long.parseLong(of("SNAPTEST_MAX_COST_GIB", "8"));

    private static String of(String variable, String otherwise) {
        return System.getenv().getOrDefault(variable, otherwise);
    }

    @BeforeEach
    void isAllowed() {
        boolean named = !PROJECT.isEmpty() && !ZONE.isEmpty() && !DISK.isEmpty();
        String why = "SNAPTEST_GCP_PROJECT, SNAPTEST_GCP_ZONE and SNAPTEST_GCP_DISK are not all set";
        if (!named) {
            System.err.println("SKIPPED: nothing is asked of Google; " + why);
        }
        Assumptions.assumeTrue(named, why);
    }

    /** A run that was killed leaves temporary disks, which cost. */
    @BeforeEach
    @AfterEach
    void noReadingDiskIsLeft() throws Exception {
        if (HELPER.isEmpty() || PROJECT.isEmpty() || ZONE.isEmpty() || DISK.isEmpty()) {
            return;
        }
        try (var provider = open()) {
            var unused = provider.helper().orElseThrow().tidy();
        }
    }

    @Override
    protected GceProvider open() throws Exception {
        var settings = new HashMap<>(Map.of("project", PROJECT, "installation", INSTALLATION, "locations", ZONE));
        if (!HELPER.isEmpty()) {
            settings.put("helper", HELPER);
        }
        var log = Files.createDirectories(Path.of("target", "live")).resolve("gce.jsonl");
        var transport = new RecordingTransport(new NetHttpTransport(), log, PROJECT);
        var credentials = GoogleCredentials.getApplicationDefault().createScoped(GceProviderFactory.SCOPE);
        var clients = new GceClients(GceClients.GOOGLE, transport, Optional.of(credentials));
        return new GceProvider(
                GceConfig.of("gce", settings),
                new GceConnection(() -> clients),
                new Attempts(new Random(), Thread::sleep),
                InstantSource.system(),
                new GceWaiting(Thread::sleep, System::nanoTime),
                Runnable::run);
    }

    @Override
    protected VolumeId volume() {
        return VolumeId.of("gce", ZONE + "/" + DISK);
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

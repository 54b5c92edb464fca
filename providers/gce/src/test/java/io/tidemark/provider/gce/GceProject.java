package io.tidemark.provider.gce;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.provider.fakecloud.gce.DiscoveryModel;
import io.tidemark.provider.fakecloud.gce.FakeDisk;
import io.tidemark.provider.fakecloud.gce.FakeGce;
import io.tidemark.provider.fakecloud.gce.FakeGceSettings;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;

/** Providers over an emulated project, one after the other as processes of one host would be. */
final class GceProject implements AutoCloseable {
    static final String ZONE = "zones/europe-west3-a";
    static final String REGION = "regions/europe-west3";

    private final InProcessTransport transport;
    private final GceClients clients;
    private FakeGce cloud;

    GceProject(FakeGceSettings settings) throws IOException {
        cloud = FakeGce.start(settings);
        transport = new InProcessTransport(cloud);
        clients = new GceClients(GceClients.GOOGLE, transport, Optional.empty());
    }

    FakeGce cloud() {
        return cloud;
    }

    GceConnection connection() {
        return new GceConnection(() -> clients);
    }

    Attempts attempts() {
        return new Attempts(new Random(1), cloud.clock()::advance);
    }

    void leaveGoogle() {
        transport.outside();
    }

    /** The same clients, another project behind them; what was asked of the former was checked. */
    void fresh(FakeGceSettings settings) {
        everyCallIsChecked();
        cloud = FakeGce.start(settings);
        transport.to(cloud);
    }

    static GceConfig config() {
        return GceConfig.of("gce", settings());
    }

    static Map<String, String> settings() {
        return Map.of(
                "project",
                "tidemark-tests",
                "installation",
                "tests",
                "locations.0",
                "europe-west3-a",
                "locations.1",
                "europe-west3",
                "publishedRates",
                "ignore");
    }

    FakeDisk disk(String name) {
        return cloud.createDisk(ZONE, name, 10, Map.of());
    }

    GceProvider open() {
        return open(config(), new AtomicBoolean());
    }

    /** @param dead once it is set, nothing is asked a second time, as of a process that is no more */
    GceProvider open(GceConfig config, AtomicBoolean dead) {
        var clock = cloud.clock();
        Attempts.Sleeper sleeper = pause -> {
            if (dead.get()) {
                throw new InterruptedException("killed");
            }
            clock.advance(pause);
        };
        var waiting = new GceWaiting(
                sleeper,
                () -> Duration.between(java.time.Instant.EPOCH, clock.instant()).toNanos());
        // The clients stay open: they are those of the next process too.
        return new GceProvider(
                config,
                new GceConnection(() -> clients),
                new Attempts(new Random(1), sleeper),
                clock,
                waiting,
                Runnable::run);
    }

    /** That the discovery document was asked about every call, and found nothing; says so where it is not here. */
    void everyCallIsChecked() {
        if (!DiscoveryModel.available()) {
            System.err.println("NOT CHECKED: no published models; set -Dtidemark.cloudModels");
            return;
        }
        assertThat(cloud.violations()).isEmpty();
        assertThat(cloud.warnings()).isZero();
        assertThat(cloud.calls())
                .allSatisfy((operation, count) ->
                        assertThat(count.requestsChecked()).as(operation).isEqualTo(count.seen()));
    }

    static VolumeId volume(FakeDisk disk) {
        return VolumeId.of("gce", disk.locationName() + "/" + disk.name());
    }

    @Override
    public void close() {
        clients.close();
        cloud.close();
    }
}

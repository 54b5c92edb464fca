package io.tidemark.provider.azure;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.provider.fakecloud.FakeClock;
import io.tidemark.provider.fakecloud.azure.AzureModels;
import io.tidemark.provider.fakecloud.azure.FakeAzure;
import io.tidemark.spi.VolumeId;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/** Providers of fake subscriptions. */
final class AzureAccount {
    static final String GROUP = "disks";

    private AzureAccount() {}

    static AzureConfig config(FakeAzure cloud, String endpoint, Map<String, String> more) {
        var settings = new HashMap<>(Map.of(
                "subscription",
                cloud.settings().subscription(),
                "location",
                cloud.settings().locations().getFirst(),
                "resourceGroup",
                GROUP,
                "installation",
                "tests",
                "endpoint",
                endpoint,
                "publishedRates",
                "ignore"));
        settings.putAll(more);
        return AzureConfig.of("azure", settings);
    }

    /** Over a socket, as in life. */
    static AzureProvider open(FakeAzure cloud) {
        return open(cloud, Map.of());
    }

    static AzureProvider open(FakeAzure cloud, Map<String, String> more) {
        var config = config(cloud, cloud.endpoint().toString(), more);
        return open(config, AzureClients.of(config), cloud.clock(), new AtomicBoolean());
    }

    static AzureConfig inProcess(FakeAzure cloud) {
        return config(cloud, "http://127.0.0.1", Map.of());
    }

    static AzureClients clients(AzureConfig config, Supplier<FakeAzure> cloud) {
        return new AzureClients(config, new InProcessHttp(cloud), Optional.empty());
    }

    /** @param dead once it is set, nothing is asked a second time, as of a process that is no more */
    static AzureProvider open(AzureConfig config, AzureClients clients, FakeClock clock, AtomicBoolean dead) {
        Attempts.Sleeper sleeper = pause -> {
            if (dead.get()) {
                throw new InterruptedException("killed");
            }
            clock.advance(pause);
        };
        var attempts = new Attempts(new Random(1), sleeper);
        return new AzureProvider(config, clients, attempts, new AzureProvider.Time(clock, System::nanoTime, sleeper));
    }

    /** That the published models were asked about every call, and found nothing; says so where they are not here. */
    static void everyCallIsChecked(FakeAzure cloud) {
        if (!AzureModels.available()) {
            System.err.println("NOT CHECKED: no published models; set -Dtidemark.cloudModels");
            return;
        }
        assertThat(cloud.violations()).isEmpty();
        assertThat(cloud.calls())
                .allSatisfy((operation, count) ->
                        assertThat(count.requestsChecked()).as(operation).isEqualTo(count.seen()));
    }

    static VolumeId volume(String name) {
        return VolumeId.of("azure", name);
    }
}

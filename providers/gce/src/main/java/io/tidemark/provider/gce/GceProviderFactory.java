package io.tidemark.provider.gce;

import com.google.api.client.http.javanet.NetHttpTransport;
import com.google.auth.Credentials;
import com.google.auth.oauth2.GoogleCredentials;
import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.ProviderFactory;
import io.tidemark.spi.PublishedLimit;
import io.tidemark.spi.StorageProvider;
import java.io.IOException;
import java.net.URI;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.random.RandomGenerator;

/**
 * Makes the provider of Google's disks; see {@link GceConfig} for its settings. Asks Google nothing: a start needs no
 * network.
 */
public final class GceProviderFactory implements ProviderFactory {
    static final String SCOPE = "https://www.googleapis.com/auth/compute";

    @Override
    public String name() {
        return GceNames.PROVIDER;
    }

    @Override
    public StorageProvider create(Map<String, String> settings) {
        return create(GceNames.PROVIDER, settings);
    }

    @Override
    public StorageProvider create(String name, Map<String, String> settings) {
        var config = GceConfig.of(name, settings);
        var attempts = new Attempts(RandomGenerator.getDefault(), Thread::sleep);
        var waiting = new GceWaiting(Thread::sleep, System::nanoTime);
        Executor background = work -> {
            var unused = Thread.ofVirtual().name("tidemark-gce-helper").start(work);
        };
        var provider =
                new GceProvider(config, connection(config), attempts, InstantSource.system(), waiting, background);
        provider.helper().ifPresent(helper -> background.execute(new HelperTidying(helper, Thread::sleep)));
        return provider;
    }

    private static GceConnection connection(GceConfig config) {
        return new GceConnection(() -> new GceClients(
                config.endpoint().orElse(GceClients.GOOGLE), new NetHttpTransport(), credentials(config.endpoint())));
    }

    /** Whoever redirects us to this host alone is a test, or a proxy that asks as itself. */
    private static Optional<Credentials> credentials(Optional<URI> endpoint) throws IOException {
        boolean isHere = endpoint.map(URI::getHost)
                .filter(host -> host.equals("127.0.0.1") || host.equals("localhost"))
                .isPresent();
        return isHere
                ? Optional.empty()
                : Optional.of(GoogleCredentials.getApplicationDefault().createScoped(SCOPE));
    }

    @Override
    public Optional<String> policy(Map<String, String> settings) {
        return Optional.of(GcePolicy.of(settings.getOrDefault("project", "PROJECT")));
    }

    @Override
    public List<HostRequirement> check(Map<String, String> settings) {
        var found = new ArrayList<HostRequirement>();
        if (settings.isEmpty()) {
            found.add(credentials());
            return found;
        }
        try {
            var config = GceConfig.of(GceNames.PROVIDER, settings);
            found.add(new HostRequirement(
                    "settings",
                    HostRequirement.State.MET,
                    "project %s, %s".formatted(config.project(), config.locations())));
        } catch (IllegalArgumentException e) {
            found.add(new HostRequirement("settings", HostRequirement.State.LACKING, String.valueOf(e.getMessage())));
        }
        var credentials = credentials();
        found.add(credentials);
        if (found.stream().allMatch(each -> each.state() == HostRequirement.State.MET)) {
            found.addAll(rights(settings));
        }
        return found;
    }

    /** Asks Google. */
    static List<HostRequirement> rights(Map<String, String> settings) {
        var config = GceConfig.of(GceNames.PROVIDER, settings);
        try (var connection = connection(config)) {
            var attempts = new Attempts(RandomGenerator.getDefault(), Thread::sleep).once();
            return new GceRights(connection, config, attempts).check();
        }
    }

    private static HostRequirement credentials() {
        try {
            var found = GoogleCredentials.getApplicationDefault();
            return new HostRequirement(
                    "credentials", HostRequirement.State.MET, found.getClass().getSimpleName());
        } catch (IOException e) {
            return new HostRequirement(
                    "credentials",
                    HostRequirement.State.LACKING,
                    "neither GOOGLE_APPLICATION_CREDENTIALS, nor gcloud's file, nor a service account of the instance:"
                            + " give the instance one that may what \"tidemark providers policy gce\" prints");
        }
    }

    @Override
    public List<PublishedLimit> limits() {
        return GceLimits.all();
    }
}

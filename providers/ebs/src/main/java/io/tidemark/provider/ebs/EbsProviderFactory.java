package io.tidemark.provider.ebs;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.ProviderFactory;
import io.tidemark.spi.PublishedLimit;
import io.tidemark.spi.StorageProvider;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkException;

/** Makes the provider of Amazon EBS; see {@link EbsConfig} for its settings. A start needs no network: uploads go on when
 * there is one. */
public final class EbsProviderFactory implements ProviderFactory {
    private final Supplier<AwsCredentialsProvider> credentials;

    /** With credentials of the SDK's own chain. */
    public EbsProviderFactory() {
        this(() -> DefaultCredentialsProvider.builder().build());
    }

    private EbsProviderFactory(Supplier<AwsCredentialsProvider> credentials) {
        this.credentials = credentials;
    }

    /**
     * Makes providers that sign nothing, for measuring against an emulator over http: there the SDK hashes every body once more
     * to sign it, which it does not over https, as blocks go to Amazon.
     */
    public static EbsProviderFactory unsigned() {
        return new EbsProviderFactory(AnonymousCredentialsProvider::create);
    }

    @Override
    public String name() {
        return EbsNames.PROVIDER;
    }

    @Override
    public StorageProvider create(Map<String, String> settings) throws ProviderException {
        return create(EbsNames.PROVIDER, settings);
    }

    @Override
    public StorageProvider create(String name, Map<String, String> settings) throws ProviderException {
        var config = EbsConfig.of(name, settings);
        var clients = new AwsClients(config, credentials.get());
        var attempts = new Attempts(RandomGenerator.getDefault(), Thread::sleep);
        return new EbsProvider(
                config,
                clients,
                attempts,
                InstantSource.system(),
                System::nanoTime,
                HostDisks::now,
                EbsProvider.Staging.ofHost());
    }

    @Override
    public Optional<String> policy(Map<String, String> settings) {
        return Optional.of(EbsPolicy.of(settings.getOrDefault("installation", "INSTALLATION")));
    }

    @Override
    public List<HostRequirement> check(Map<String, String> settings) {
        var found = new ArrayList<HostRequirement>();
        if (!settings.isEmpty()) {
            found.add(settings(settings));
        }
        var credentials = credentials();
        found.add(credentials);
        if (!settings.isEmpty() && found.stream().allMatch(each -> each.state() == HostRequirement.State.MET)) {
            found.addAll(rights(EbsConfig.of(EbsNames.PROVIDER, settings)));
        }
        return found;
    }

    private static List<HostRequirement> rights(EbsConfig config) {
        try (var clients =
                new AwsClients(config, DefaultCredentialsProvider.builder().build())) {
            return new EbsRights(clients, config).all();
        }
    }

    /** Needs no network, as the search for credentials may. */
    static HostRequirement settings(Map<String, String> settings) {
        try {
            var config = EbsConfig.of(EbsNames.PROVIDER, settings);
            return new HostRequirement("settings", HostRequirement.State.MET, "region " + config.region());
        } catch (IllegalArgumentException e) {
            return new HostRequirement("settings", HostRequirement.State.LACKING, String.valueOf(e.getMessage()));
        }
    }

    private static HostRequirement credentials() {
        try (var credentials = DefaultCredentialsProvider.builder().build()) {
            var found = credentials.resolveCredentials();
            return new HostRequirement(
                    "credentials",
                    HostRequirement.State.MET,
                    found.providerName().orElse("found"));
        } catch (SdkException e) {
            return new HostRequirement(
                    "credentials",
                    HostRequirement.State.LACKING,
                    "none in the environment, ~/.aws, or the instance's role: give the host a role that may what"
                            + " \"tidemark providers policy ebs\" prints");
        }
    }

    @Override
    public List<PublishedLimit> limits() {
        return EbsLimits.all();
    }
}

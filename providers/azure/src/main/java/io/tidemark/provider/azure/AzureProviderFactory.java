package io.tidemark.provider.azure;

import com.azure.core.credential.TokenRequestContext;
import com.azure.core.exception.ClientAuthenticationException;
import com.azure.identity.DefaultAzureCredentialBuilder;
import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.ProviderFactory;
import io.tidemark.spi.PublishedLimit;
import io.tidemark.spi.StorageProvider;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;

/** Makes the provider of Azure's managed disks; see {@link AzureConfig} for its settings. A start needs no network. */
public final class AzureProviderFactory implements ProviderFactory {
    private static final String SCOPE = "https://management.azure.com/.default";

    @Override
    public String name() {
        return AzureNames.PROVIDER;
    }

    @Override
    public StorageProvider create(Map<String, String> settings) {
        return create(AzureNames.PROVIDER, settings);
    }

    @Override
    public StorageProvider create(String name, Map<String, String> settings) {
        var config = AzureConfig.of(name, settings);
        var attempts = new Attempts(RandomGenerator.getDefault(), Thread::sleep);
        var time = new AzureProvider.Time(InstantSource.system(), System::nanoTime, Thread::sleep);
        return new AzureProvider(config, AzureClients.of(config), attempts, time);
    }

    /** Rights on keys, where disks are encrypted by some of the owner's own, are not in it. */
    @Override
    public Optional<String> policy(Map<String, String> settings) {
        return Optional.of(AzurePolicy.of(settings.getOrDefault("subscription", "SUBSCRIPTION")));
    }

    @Override
    public List<HostRequirement> check(Map<String, String> settings) {
        var found = new ArrayList<HostRequirement>();
        if (!settings.isEmpty()) {
            found.add(settings(settings));
        }
        found.add(credentials());
        boolean isReady = found.stream().allMatch(each -> each.state() == HostRequirement.State.MET);
        if (!settings.isEmpty() && isReady) {
            var config = AzureConfig.of(AzureNames.PROVIDER, settings);
            found.addAll(rights(config, AzureClients.of(config)));
        }
        return found;
    }

    /** Asks Azure, each group once. */
    static List<HostRequirement> rights(AzureConfig config, AzureClients clients) {
        Attempts.Sleeper sleeper = Thread::sleep;
        var arm = new Arm(clients, new ArmGate(InstantSource.system(), sleeper));
        return new AzureRights(arm, new Attempts(RandomGenerator.getDefault(), sleeper).once(), config).check();
    }

    /** Needs no network, as the search for credentials may. */
    static HostRequirement settings(Map<String, String> settings) {
        try {
            var config = AzureConfig.of(AzureNames.PROVIDER, settings);
            return new HostRequirement(
                    "settings",
                    HostRequirement.State.MET,
                    "subscription %s, %s".formatted(config.subscription(), config.location()));
        } catch (IllegalArgumentException e) {
            return new HostRequirement("settings", HostRequirement.State.LACKING, String.valueOf(e.getMessage()));
        }
    }

    private static HostRequirement credentials() {
        try {
            var unused = new DefaultAzureCredentialBuilder()
                    .build()
                    .getTokenSync(new TokenRequestContext().addScopes(SCOPE));
            return new HostRequirement("credentials", HostRequirement.State.MET, "found");
        } catch (ClientAuthenticationException e) {
            return new HostRequirement(
                    "credentials",
                    HostRequirement.State.LACKING,
                    "none in the environment, of a managed identity or the Azure CLI: give the machine an identity that"
                            + " may what \"tidemark providers policy azure\" prints");
        }
    }

    @Override
    public List<PublishedLimit> limits() {
        return AzureLimits.all();
    }
}

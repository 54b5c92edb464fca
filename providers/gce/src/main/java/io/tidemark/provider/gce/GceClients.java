package io.tidemark.provider.gce;

import com.google.api.client.http.HttpTransport;
import com.google.api.gax.core.CredentialsProvider;
import com.google.api.gax.core.FixedCredentialsProvider;
import com.google.api.gax.core.NoCredentialsProvider;
import com.google.api.gax.httpjson.InstantiatingHttpJsonChannelProvider;
import com.google.api.gax.retrying.RetrySettings;
import com.google.api.gax.rpc.ClientContext;
import com.google.api.gax.rpc.UnaryCallSettings;
import com.google.auth.Credentials;
import com.google.cloud.compute.v1.stub.DisksStub;
import com.google.cloud.compute.v1.stub.DisksStubSettings;
import com.google.cloud.compute.v1.stub.GlobalOperationsStub;
import com.google.cloud.compute.v1.stub.GlobalOperationsStubSettings;
import com.google.cloud.compute.v1.stub.InstancesStub;
import com.google.cloud.compute.v1.stub.InstancesStubSettings;
import com.google.cloud.compute.v1.stub.RegionDisksStub;
import com.google.cloud.compute.v1.stub.RegionDisksStubSettings;
import com.google.cloud.compute.v1.stub.RegionOperationsStub;
import com.google.cloud.compute.v1.stub.RegionOperationsStubSettings;
import com.google.cloud.compute.v1.stub.ResourcePoliciesStub;
import com.google.cloud.compute.v1.stub.ResourcePoliciesStubSettings;
import com.google.cloud.compute.v1.stub.SnapshotsStub;
import com.google.cloud.compute.v1.stub.SnapshotsStubSettings;
import com.google.cloud.compute.v1.stub.ZoneOperationsStub;
import com.google.cloud.compute.v1.stub.ZoneOperationsStubSettings;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;

/**
 * The SDK's clients of one project, over one channel; without retries, with a limit to every wait. A call is made on
 * the thread that asks.
 */
final class GceClients implements AutoCloseable {
    static final URI GOOGLE = URI.create("https://compute.googleapis.com");
    /** Lists of 500 took seconds at the most (for want of a published figure); what takes longer is asked for again. */
    private static final Duration CALL = Duration.ofSeconds(30);

    private final ClientContext context;
    private final SnapshotsStub snapshots;
    private final DisksStub disks;
    private final RegionDisksStub regionDisks;
    private final ResourcePoliciesStub policies;
    private final GlobalOperationsStub globalOperations;
    private final ZoneOperationsStub zoneOperations;
    private final RegionOperationsStub regionOperations;
    private final InstancesStub instances;
    private final HttpTransport transport;
    private final URI endpoint;
    private final Optional<Credentials> credentials;

    /** @param credentials none: nobody asks who we are, as on loopback */
    GceClients(URI endpoint, HttpTransport transport, Optional<Credentials> credentials) throws IOException {
        this.transport = transport;
        this.endpoint = endpoint;
        this.credentials = credentials;
        CredentialsProvider provider = credentials.isPresent()
                ? FixedCredentialsProvider.create(credentials.get())
                : NoCredentialsProvider.create();
        var settings = SnapshotsStubSettings.newBuilder();
        settings.setCredentialsProvider(provider);
        settings.setTransportChannelProvider(InstantiatingHttpJsonChannelProvider.newBuilder()
                .setHttpTransport(transport)
                .setEndpoint(endpoint.toString())
                .setExecutor(Runnable::run)
                .build());
        context = ClientContext.create(settings.build());
        snapshots = SnapshotsStubSettings.newBuilder(context)
                .applyToAllUnaryMethods(GceClients::once)
                .build()
                .createStub();
        disks = DisksStubSettings.newBuilder(context)
                .applyToAllUnaryMethods(GceClients::once)
                .build()
                .createStub();
        regionDisks = RegionDisksStubSettings.newBuilder(context)
                .applyToAllUnaryMethods(GceClients::once)
                .build()
                .createStub();
        policies = ResourcePoliciesStubSettings.newBuilder(context)
                .applyToAllUnaryMethods(GceClients::once)
                .build()
                .createStub();
        globalOperations = GlobalOperationsStubSettings.newBuilder(context)
                .applyToAllUnaryMethods(GceClients::once)
                .build()
                .createStub();
        zoneOperations = ZoneOperationsStubSettings.newBuilder(context)
                .applyToAllUnaryMethods(GceClients::once)
                .build()
                .createStub();
        instances = InstancesStubSettings.newBuilder(context)
                .applyToAllUnaryMethods(GceClients::once)
                .build()
                .createStub();
        regionOperations = RegionOperationsStubSettings.newBuilder(context)
                .applyToAllUnaryMethods(GceClients::once)
                .build()
                .createStub();
    }

    InstancesStub instances() {
        return instances;
    }

    /** The SDK retries what it holds to be safe; ours is the one layer of retries. */
    @SuppressWarnings("NullAway") // The SDK asks for a function that answers nothing.
    private static Void once(UnaryCallSettings.Builder<?, ?> call) {
        call.setRetryableCodes();
        call.setRetrySettings(RetrySettings.newBuilder()
                .setMaxAttempts(1)
                .setTotalTimeoutDuration(CALL)
                .setInitialRpcTimeoutDuration(CALL)
                .setMaxRpcTimeoutDuration(CALL)
                .build());
        return null;
    }

    SnapshotsStub snapshots() {
        return snapshots;
    }

    DisksStub disks() {
        return disks;
    }

    RegionDisksStub regionDisks() {
        return regionDisks;
    }

    ResourcePoliciesStub policies() {
        return policies;
    }

    GlobalOperationsStub globalOperations() {
        return globalOperations;
    }

    ZoneOperationsStub zoneOperations() {
        return zoneOperations;
    }

    RegionOperationsStub regionOperations() {
        return regionOperations;
    }

    HttpTransport transport() {
        return transport;
    }

    URI endpoint() {
        return endpoint;
    }

    Optional<Credentials> credentials() {
        return credentials;
    }

    /** @throws IOException where there is nobody we could ask as */
    void requireCredentials() throws IOException {
        if (credentials.isPresent()) {
            var unused = credentials.get().getRequestMetadata(endpoint);
        }
    }

    @Override
    public void close() {
        snapshots.close();
        disks.close();
        regionDisks.close();
        policies.close();
        globalOperations.close();
        zoneOperations.close();
        regionOperations.close();
        instances.close();
        context.getBackgroundResources().forEach(each -> {
            each.shutdownNow();
        });
    }
}

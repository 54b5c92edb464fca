package io.tidemark.provider.azure;

import com.azure.core.credential.TokenCredential;
import com.azure.core.credential.TokenRequestContext;
import com.azure.core.http.HttpClient;
import com.azure.core.http.HttpPipeline;
import com.azure.core.http.HttpPipelineBuilder;
import com.azure.core.http.jdk.httpclient.JdkHttpClientBuilder;
import com.azure.core.http.policy.BearerTokenAuthenticationPolicy;
import com.azure.core.http.policy.HttpPipelinePolicy;
import com.azure.core.management.AzureEnvironment;
import com.azure.identity.DefaultAzureCredentialBuilder;
import com.azure.resourcemanager.compute.fluent.ComputeManagementClient;
import com.azure.resourcemanager.compute.implementation.ComputeManagementClientBuilder;
import java.time.Duration;
import java.util.Optional;

/**
 * The SDK's client of Compute over a pipeline that has no retries ({@link io.tidemark.provider.cloud.Attempts} is the
 * one layer of them), and a pipeline for blobs, which sends no credentials: a signature is in the address.
 */
final class AzureClients {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
    /** Of a whole answer; the longest is 4 MiB of a blob. */
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(60);

    private final ComputeManagementClient compute;
    private final HttpPipeline management;
    private final HttpPipeline blobs;
    private final Optional<TokenCredential> credential;
    private final String scope;

    AzureClients(AzureConfig config, HttpClient http, Optional<TokenCredential> credential) {
        this.credential = credential;
        this.scope = config.endpoint() + "/.default";
        management = new HttpPipelineBuilder()
                .httpClient(http)
                .policies(credential.stream()
                        .map(each -> new BearerTokenAuthenticationPolicy(each, scope))
                        .toArray(HttpPipelinePolicy[]::new))
                .build();
        blobs = new HttpPipelineBuilder().httpClient(http).build();
        compute = new ComputeManagementClientBuilder()
                .subscriptionId(config.subscription())
                .endpoint(config.endpoint().toString())
                .environment(AzureEnvironment.AZURE)
                .pipeline(management)
                .buildClient();
    }

    static AzureClients of(AzureConfig config) {
        var http = new JdkHttpClientBuilder()
                .connectionTimeout(CONNECT_TIMEOUT)
                .responseTimeout(ANSWER_TIMEOUT)
                .readTimeout(ANSWER_TIMEOUT)
                .build();
        return new AzureClients(config, http, credential(config));
    }

    static Optional<TokenCredential> credential(AzureConfig config) {
        return config.isSecure() ? Optional.of(new DefaultAzureCredentialBuilder().build()) : Optional.empty();
    }

    ComputeManagementClient compute() {
        return compute;
    }

    HttpPipeline management() {
        return management;
    }

    HttpPipeline blobs() {
        return blobs;
    }

    /** Throws what the SDK throws where there are none. */
    void requireCredentials() {
        credential.ifPresent(each -> each.getTokenSync(new TokenRequestContext().addScopes(scope)));
    }
}

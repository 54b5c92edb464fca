package io.tidemark.provider.ebs;

import java.time.Duration;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.apache.ApacheHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.ebs.EbsClient;
import software.amazon.awssdk.services.ec2.Ec2Client;

/** The SDK's clients of one region, over one pool of connections; without retries, with a limit to every wait. */
final class AwsClients implements AutoCloseable {
    private static final Duration CONNECT = Duration.ofSeconds(5);
    /** A block of 512 KiB at 20 KiB/s; an answer that takes longer is asked for again. */
    private static final Duration CALL = Duration.ofSeconds(30);
    /** Beside the blocks on their way: what is asked meanwhile. */
    private static final int CONNECTIONS_BESIDE_BLOCKS = 16;

    private final SdkHttpClient http;
    private final AwsCredentialsProvider credentials;
    private final Ec2Client ec2;
    private final EbsClient direct;

    AwsClients(EbsConfig config, AwsCredentialsProvider credentials) {
        this(
                config,
                credentials,
                ApacheHttpClient.builder()
                        .maxConnections(config.parallelBlocks() + CONNECTIONS_BESIDE_BLOCKS)
                        .connectionTimeout(CONNECT)
                        .socketTimeout(CALL)
                        .connectionAcquisitionTimeout(CALL)
                        // Else each PUT asks first whether it may send its body: a round trip more for every block.
                        .expectContinueEnabled(false)
                        .build());
    }

    /** @param http closed with this */
    AwsClients(EbsConfig config, AwsCredentialsProvider credentials, SdkHttpClient http) {
        this.credentials = credentials;
        this.http = http;
        var limits = ClientOverrideConfiguration.builder()
                .retryStrategy(AwsRetryStrategy.doNotRetry())
                .apiCallAttemptTimeout(CALL)
                .apiCallTimeout(CALL)
                .build();
        var ec2Builder = Ec2Client.builder()
                .region(Region.of(config.region()))
                .credentialsProvider(credentials)
                .httpClient(http)
                .overrideConfiguration(limits);
        config.ec2Endpoint().ifPresent(ec2Builder::endpointOverride);
        var directBuilder = EbsClient.builder()
                .region(Region.of(config.region()))
                .credentialsProvider(credentials)
                .httpClient(http)
                .overrideConfiguration(limits);
        config.ebsEndpoint().ifPresent(directBuilder::endpointOverride);
        ec2 = ec2Builder.build();
        direct = directBuilder.build();
    }

    Ec2Client ec2() {
        return ec2;
    }

    /** @throws software.amazon.awssdk.core.exception.SdkException where there are none */
    void requireCredentials() {
        var unused = credentials.resolveCredentials();
    }

    EbsClient direct() {
        return direct;
    }

    @Override
    public void close() {
        ec2.close();
        direct.close();
        http.close();
    }
}

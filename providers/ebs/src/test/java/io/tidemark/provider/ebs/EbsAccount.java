package io.tidemark.provider.ebs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.provider.devices.Mounts;
import io.tidemark.provider.fakecloud.aws.FakeAws;
import io.tidemark.provider.fakecloud.aws.ServiceModel;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;

/** Providers over an emulated account, one after the other as processes of one host would be. */
final class EbsAccount {
    static final StaticCredentialsProvider CREDENTIALS =
            StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test"));

    private EbsAccount() {}

    static EbsConfig config(String region, String address) {
        return EbsConfig.of(
                "ebs",
                Map.of(
                        "region",
                        region,
                        "installation",
                        "tests",
                        "ec2Endpoint",
                        address,
                        "ebsEndpoint",
                        address,
                        "publishedRates",
                        "ignore"));
    }

    static EbsProvider open(FakeAws cloud) throws Exception {
        var config = config("eu-central-1", cloud.endpoint().toString());
        return open(config, clients(config), cloud.clock(), new AtomicBoolean());
    }

    static AwsClients clients(EbsConfig config) {
        return new AwsClients(config, CREDENTIALS);
    }

    /** As {@link #clients}, without sockets. */
    static AwsClients inProcess(FakeAws cloud, EbsConfig config) {
        return inProcess(cloud, config, new AtomicBoolean());
    }

    /** @param dead once it is set, nothing is asked */
    static AwsClients inProcess(FakeAws cloud, EbsConfig config, AtomicBoolean dead) {
        return new AwsClients(config, CREDENTIALS, new InProcessHttp(cloud, config.region(), dead::get));
    }

    /** @param dead once it is set, nothing is asked a second time, as of a process that is no more */
    static EbsProvider open(EbsConfig config, AwsClients clients, InstantSource clock, AtomicBoolean dead)
            throws Exception {
        var attempts = new Attempts(new Random(1), pause -> {
            if (dead.get()) {
                throw new InterruptedException("killed");
            }
        });
        var noDisks = new HostDisks(Path.of("/nonexistent"), Mounts.ofHost());
        return open(config, clients, clock, attempts, noDisks, EbsProvider.Staging.ofHost());
    }

    private static EbsProvider open(
            EbsConfig config,
            AwsClients clients,
            InstantSource clock,
            Attempts attempts,
            HostDisks disks,
            EbsProvider.Staging staging)
            throws ProviderException {
        return new EbsProvider(config, clients, attempts, clock, System::nanoTime, () -> disks, staging);
    }

    /** With a folder for volumes that are made here. */
    static EbsConfig config(String address, Path staging) {
        return EbsConfig.of(
                "ebs",
                Map.of(
                        "region",
                        "eu-central-1",
                        "installation",
                        "tests",
                        "ec2Endpoint",
                        address,
                        "ebsEndpoint",
                        address,
                        "staging",
                        staging.toString(),
                        "parallelBlocks",
                        "64",
                        "publishedRates",
                        "ignore"));
    }

    /** As {@link #open(EbsConfig, AwsClients, InstantSource, AtomicBoolean)}; background work waits a moment alone. */
    static EbsProvider openStaged(
            EbsConfig config, AwsClients clients, InstantSource clock, AtomicBoolean dead, StagingFiles files)
            throws Exception {
        var attempts = new Attempts(new Random(1), pause -> {
            if (dead.get()) {
                throw new InterruptedException("killed");
            }
        });
        var noDisks = new HostDisks(Path.of("/nonexistent"), Mounts.ofHost());
        var staging = new EbsProvider.Staging(files, pause -> Thread.sleep(1));
        return open(config, clients, clock, attempts, noDisks, staging);
    }

    /** That the published models were asked about every call, and found nothing; says so where they are not here. */
    static void everyCallIsChecked(FakeAws cloud) {
        if (!ServiceModel.available()) {
            System.err.println("NOT CHECKED: no published models; set -Dtidemark.cloudModels");
            return;
        }
        assertThat(cloud.violations()).isEmpty();
        assertThat(cloud.calls())
                .allSatisfy((operation, count) ->
                        assertThat(count.requestsChecked()).as(operation).isEqualTo(count.seen()));
    }

    static VolumeId volume(String cloudId) {
        return VolumeId.of("ebs", cloudId);
    }
}

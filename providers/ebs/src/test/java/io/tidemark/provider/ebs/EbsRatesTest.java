package io.tidemark.provider.ebs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.provider.fakecloud.aws.AwsLimits;
import io.tidemark.provider.fakecloud.aws.FakeAws;
import io.tidemark.provider.fakecloud.aws.FakeAwsSettings;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** A cut that the cloud would refuse for its rate is refused before writers are held. */
class EbsRatesTest {
    @Test
    void secondCutWithinHalfAMinuteIsNotBegun() throws Exception {
        try (var cloud = FakeAws.start(FakeAwsSettings.defaults());
                var provider = open(cloud, "keep")) {
            var volume = EbsAccount.volume(cloud.createVolume(1, Map.of()).id());
            cut(provider, request(0, volume));

            var busy = refused(provider, request(1, volume), false);

            assertThat(busy.message()).contains("1 cuts in 30 s");
            assertThat(busy.retryAfter()).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(30));
            // What is there already is asked for again at no cost.
            cut(provider, request(0, volume));
            EbsAccount.everyCallIsChecked(cloud);
        }
    }

    @Test
    void sixthSnapshotWhileAmazonCopiesFiveIsNotBegun() throws Exception {
        try (var cloud = FakeAws.start(FakeAwsSettings.defaults().takes(Duration.ofHours(1)));
                var others = open(cloud, "ignore");
                var provider = open(cloud, "keep")) {
            var volume = EbsAccount.volume(cloud.createVolume(1, Map.of()).id());
            for (int i = 0; i < 5; i++) {
                cut(others, request(i, volume));
            }

            assertThat(refused(provider, request(5, volume), false).message()).contains("still copies 5 snapshots");
            cloud.clock().advance(Duration.ofHours(1));
            cut(provider, request(5, volume));
            EbsAccount.everyCallIsChecked(cloud);
        }
    }

    @Test
    void refusalOfAmazonsIsKeptInMind() throws Exception {
        try (var cloud = FakeAws.start(FakeAwsSettings.defaults().limits(AwsLimits.published()));
                var provider = open(cloud, "ignore")) {
            var volume = EbsAccount.volume(cloud.createVolume(1, Map.of()).id());
            cut(provider, request(0, volume));
            assertThat(refused(provider, request(1, volume), true).holder()).isEqualTo(AwsFailures.VOLUME_RATE_HOLDER);

            assertThat(refused(provider, request(2, volume), false).holder()).isEqualTo(AwsFailures.VOLUME_RATE_HOLDER);
            EbsAccount.everyCallIsChecked(cloud);
        }
    }

    private static EbsProvider open(FakeAws cloud, String rates) throws Exception {
        var address = cloud.endpoint().toString();
        var config = EbsConfig.of(
                "ebs",
                Map.of(
                        "region", "eu-central-1",
                        "installation", "tests",
                        "ec2Endpoint", address,
                        "ebsEndpoint", address,
                        "publishedRates", rates));
        return EbsAccount.open(config, EbsAccount.clients(config), cloud.clock(), new AtomicBoolean());
    }

    private static CutRequest request(int number, VolumeId volume) {
        return new CutRequest(new RecoveryPointId("rp-" + number), List.of(volume));
    }

    private static ProviderError.Busy refused(StorageProvider provider, CutRequest request, boolean cut) {
        var thrown = catchThrowableOfType(ProviderException.class, () -> {
            if (cut) {
                provider.cut(request);
            } else {
                provider.prepare(request);
            }
        });
        return (ProviderError.Busy) thrown.error();
    }

    private static void cut(StorageProvider provider, CutRequest request) throws ProviderException {
        provider.prepare(request);
        provider.cut(request);
    }
}

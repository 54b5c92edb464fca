package io.tidemark.provider.azure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.provider.fakecloud.azure.FakeAzure;
import io.tidemark.provider.fakecloud.azure.FakeAzureSettings;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A cut that the cloud would refuse for its rate is refused before writers are held. */
class AzureRatesTest {
    @Test
    void eighthCutWithinFiveMinutesIsNotBegun() throws Exception {
        try (var cloud = FakeAzure.start(FakeAzureSettings.defaults());
                var provider = AzureAccount.open(cloud, Map.of("publishedRates", "keep"))) {
            cloud.createDisk(AzureAccount.GROUP, "data", 1);
            var volume = AzureAccount.volume("data");
            for (int i = 0; i < 7; i++) {
                cut(provider, request(i, volume));
            }

            assertThat(refused(provider, request(7, volume)).message()).contains("7 cuts in 300 s");
            // What is there already is asked for again at no cost.
            cut(provider, request(6, volume));
            assertThat(cloud.snapshots()).hasSize(7);
            AzureAccount.everyCallIsChecked(cloud);
        }
    }

    private static CutRequest request(int number, VolumeId volume) {
        return new CutRequest(new RecoveryPointId("rp-" + number), List.of(volume));
    }

    private static ProviderError.Busy refused(StorageProvider provider, CutRequest request) {
        var thrown = catchThrowableOfType(ProviderException.class, () -> {
            provider.prepare(request);
        });
        return (ProviderError.Busy) thrown.error();
    }

    private static void cut(StorageProvider provider, CutRequest request) throws ProviderException {
        provider.prepare(request);
        provider.cut(request);
    }
}

package io.tidemark.provider.gce;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.provider.fakecloud.gce.FakeGceSettings;
import io.tidemark.provider.fakecloud.gce.GceLimits;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** A cut that the cloud would refuse for its rate is refused before writers are held. */
class GceRatesTest {
    @Test
    void seventhCutWithinAnHourIsNotBegun() throws Exception {
        try (var project = new GceProject(FakeGceSettings.defaults());
                var provider = open(project, "keep")) {
            var volume = GceProject.volume(project.disk("data"));
            for (int i = 0; i < 6; i++) {
                cut(provider, request(i, volume));
            }

            assertThat(refused(provider, request(6, volume), false).message()).contains("6 cuts in 3600 s");
            // What is there already is asked for again at no cost.
            cut(provider, request(5, volume));
            project.everyCallIsChecked();
        }
    }

    @Test
    void refusalOfGooglesIsKeptInMind() throws Exception {
        try (var project = new GceProject(FakeGceSettings.defaults().limits(GceLimits.published()));
                var provider = open(project, "ignore")) {
            var volume = GceProject.volume(project.disk("data"));
            for (int i = 0; i < 6; i++) {
                cut(provider, request(i, volume));
            }
            assertThat(refused(provider, request(6, volume), true).holder()).isEqualTo(GceFailures.DISK_RATE_HOLDER);

            assertThat(refused(provider, request(7, volume), false).holder()).isEqualTo(GceFailures.DISK_RATE_HOLDER);
            project.everyCallIsChecked();
        }
    }

    private static GceProvider open(GceProject project, String rates) {
        var settings = new HashMap<>(GceProject.settings());
        settings.put("publishedRates", rates);
        return project.open(GceConfig.of("gce", settings), new AtomicBoolean());
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

package io.tidemark.provider.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CutCostsTest {
    @TempDir
    Path folder = Path.of("");

    @Test
    void reflinkIsForecastByItsExtentsAndThenByItsLastCut() throws Exception {
        var costs = new CutCosts();
        var volume = volume(CutMethod.REFLINK);

        assertThat(costs.expected(volume, 50_000)).isBetween(Duration.ofMillis(650), Duration.ofMillis(700));
        assertThat(costs.note(volume, 50_000, Duration.ofMillis(670))).contains("50,000 extents", "other machines");

        costs.measured(volume, 50_000, Duration.ofMillis(100));
        assertThat(costs.expected(volume, 100_000)).isBetween(Duration.ofMillis(200), Duration.ofMillis(230));
        assertThat(costs.note(volume, 1, Duration.ZERO)).contains("its last cut");
    }

    @Test
    void nothingIsLearnedFromACutThatHadNothingToDo() throws Exception {
        var costs = new CutCosts();
        var volume = volume(CutMethod.REFLINK);

        costs.measured(volume, 1, Duration.ofMillis(50));

        assertThat(costs.expected(volume, 10_000)).isLessThan(Duration.ofMillis(200));
    }

    @Test
    void subvolumeCostsTheSameWhateverItHolds() throws Exception {
        var costs = new CutCosts();
        var volume = volume(CutMethod.SUBVOLUME);

        assertThat(costs.expected(volume, 1)).isEqualTo(costs.expected(volume, 1_000_000));
        costs.measured(volume, 1, Duration.ofMillis(1));
        assertThat(costs.expected(volume, 1)).isGreaterThan(Duration.ofMillis(20));
    }

    @Test
    void copyIsForecastByItsBytes() throws Exception {
        assertThat(new CutCosts().expected(volume(CutMethod.COPY), 1_000_000_000))
                .isBetween(Duration.ofSeconds(10), Duration.ofSeconds(11));
    }

    private ImageVolume volume(CutMethod method) throws Exception {
        try (var opened = ImageFolder.open(folder, BlockKernels.hostCalls(), new CommandRunner())) {
            return new ImageVolume(VolumeId.of("image", "a"), opened, folder, folder, method);
        }
    }
}

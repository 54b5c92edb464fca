package io.tidemark.provider.image;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What was lost once is not called durable later. */
class FailedFlushTest {
    private static final VolumeId VOLUME = VolumeId.of("image", "failing");

    @TempDir
    Path folder;

    @Test
    void afterAFlushThatFailedEveryLaterOneFailsAndSoDoWrites() throws Exception {
        var images = Files.createDirectory(folder.resolve("images"));
        var host = new ImageHost(
                Optional.empty(), new CommandRunner(), LoopDevices.ofHost(), InstantSource.system(), System::nanoTime);
        try (var provider = ImageProvider.open(new ImageConfig(List.of(images), ImageConfig.Changes.BEST), host)) {
            provider.create(VOLUME, 1 << 20);
            try (var writer = provider.write(VOLUME)) {
                writer.write(0, ByteBuffer.allocateDirect(4_096));
                // The folder, which the first flush syncs, is not found for a while.
                var away = Files.move(images, folder.resolve("away"));
                assertThatThrownBy(writer::flush).isInstanceOf(ProviderException.class);
                Files.move(away, images);

                assertThatThrownBy(writer::flush).isInstanceOf(ProviderException.class);
                assertThatThrownBy(() -> writer.write(0, ByteBuffer.allocateDirect(4_096)))
                        .isInstanceOf(ProviderException.class);
                assertThatThrownBy(() -> writer.writeZeroes(new BlockRange(0, 4_096)))
                        .isInstanceOf(ProviderException.class);
            }
        }
    }
}

package io.tidemark.provider.image;

import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.ProviderFactory;
import io.tidemark.spi.StorageProvider;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;

/** Makes the provider of image files from {@code folders.0}, {@code folders.1}, ... and {@code changes}. */
public final class ImageProviderFactory implements ProviderFactory {

    @Override
    public String name() {
        return ImageNames.PROVIDER;
    }

    @Override
    public StorageProvider create(Map<String, String> settings) throws ProviderException {
        var host = new ImageHost(
                BlockKernels.hostCalls(),
                new CommandRunner(),
                LoopDevices.ofHost(),
                InstantSource.system(),
                System::nanoTime);
        return ImageProvider.open(ImageConfig.of(settings), host);
    }

    @Override
    public List<HostRequirement> check(Map<String, String> settings) {
        return ImageHostCheck.of(settings, new CommandRunner());
    }
}

package io.tidemark.provider.lvm;

import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.ProviderFactory;
import io.tidemark.spi.StorageProvider;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;

/** Makes the provider of a volume group from {@code group} and, where new volumes are to be thin, {@code pool}. */
public final class LvmProviderFactory implements ProviderFactory {

    @Override
    public String name() {
        return LvmNames.PROVIDER;
    }

    @Override
    public StorageProvider create(Map<String, String> settings) throws ProviderException {
        var config = LvmConfig.of(settings);
        // Another way of cutting would start programs while file systems are frozen.
        var devices = BlockKernels.deviceMapper()
                .orElseThrow(() -> new ProviderException(new ProviderError.Unexpected(
                        "opening volume group " + config.group(),
                        "the native library is needed for cutting, and did not load: "
                                + BlockKernels.unavailableReason().orElse(""))));
        return LvmProvider.open(
                config, new LvmCommands(new CommandRunner(), config.group()), devices, InstantSource.system());
    }

    @Override
    public List<HostRequirement> check(Map<String, String> settings) {
        return LvmHostCheck.of(settings, new CommandRunner());
    }
}

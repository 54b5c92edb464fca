package io.tidemark.provider.lvm;

import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.ProviderFactory;
import io.tidemark.spi.StorageProvider;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;

/** Makes the provider of thin volumes from {@code group} and {@code pool}. */
public final class LvmProviderFactory implements ProviderFactory {

    @Override
    public String name() {
        return LvmNames.PROVIDER;
    }

    @Override
    public StorageProvider create(Map<String, String> settings) throws ProviderException {
        return LvmProvider.open(LvmConfig.of(settings), new CommandRunner(), InstantSource.system(), System::nanoTime);
    }

    @Override
    public List<HostRequirement> check(Map<String, String> settings) {
        return LvmHostCheck.of(settings, new CommandRunner());
    }
}

package io.tidemark.provider.zfs;

import io.tidemark.nativeblock.HostCallException;
import io.tidemark.nativeblock.ZfsCore;
import io.tidemark.nativeblock.ZvolCalls;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.ProviderFactory;
import io.tidemark.spi.StorageProvider;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;

/** Makes the provider of the volumes below {@code dataset}. */
public final class ZfsProviderFactory implements ProviderFactory {

    @Override
    public String name() {
        return ZfsNames.PROVIDER;
    }

    @Override
    public StorageProvider create(Map<String, String> settings) throws ProviderException {
        var config = ZfsConfig.of(settings);
        try {
            var core = ZfsCore.load();
            return ZfsProvider.open(
                    config,
                    new ZfsCommands(new CommandRunner()),
                    ZvolCalls.load(),
                    Cutting.Storage.of(core),
                    new ZfsProvider.Time(InstantSource.system(), System::nanoTime));
        } catch (HostCallException e) {
            throw ZfsErrors.of("dataset " + config.dataset(), "open /dev/zfs", e);
        } catch (UnsatisfiedLinkError e) {
            // No bug of ours: ZFS is not installed, or another version of it.
            throw new ProviderException(
                    new ProviderError.Unexpected("loading libzfs_core.so.3", String.valueOf(e.getMessage())), e);
        }
    }

    @Override
    public List<HostRequirement> check(Map<String, String> settings) {
        return ZfsHostCheck.of(settings, new CommandRunner());
    }
}

package io.tidemark.provider.btrfs;

import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.commands.HostCheck;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.HostRequirement.State;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.ProviderFactory;
import io.tidemark.spi.StorageProvider;
import java.util.List;
import java.util.Map;

/** Makes the provider of the subvolumes in {@code folder}. */
public final class BtrfsProviderFactory implements ProviderFactory {

    @Override
    public String name() {
        return BtrfsFolder.PROVIDER;
    }

    @Override
    public StorageProvider create(Map<String, String> settings) throws ProviderException {
        var config = BtrfsConfig.of(settings);
        var calls = BlockKernels.hostCalls();
        if (calls.isEmpty()) {
            throw new ProviderException(new ProviderError.Unexpected(
                    "loading the native library, through which provider btrfs calls the kernel",
                    BlockKernels.unavailableReason().orElse("it did not load")));
        }
        var rights = new HostCheck(new CommandRunner());
        rights.administrator(State.LACKING, BtrfsHostCheck.WITHOUT_RIGHTS);
        if (!rights.works()) {
            throw new ProviderException(new ProviderError.Denied("provider btrfs", "root's rights (CAP_SYS_ADMIN)"));
        }
        if (!BtrfsHostCheck.seesProcesses()) {
            throw new ProviderException(new ProviderError.Denied("provider btrfs", BtrfsHostCheck.PROCESSES_RIGHT));
        }
        return BtrfsProvider.open(config, calls.get(), SubvolumeUse.ofHost(System::nanoTime), System::nanoTime);
    }

    @Override
    public List<HostRequirement> check(Map<String, String> settings) {
        return BtrfsHostCheck.of(settings, new CommandRunner());
    }
}

package io.tidemark.provider.image;

import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.nativeblock.HostCalls;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.conformance.ProviderContract;
import io.tidemark.provider.conformance.TestStorage;
import io.tidemark.spi.StorageProvider;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

/** The provider contract over one kind of file system. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class ImageContract extends ProviderContract {
    private Optional<Path> folder = Optional.empty();
    private Optional<TestStorage> storage = Optional.empty();

    abstract TestStorage makeStorage() throws Exception;

    Optional<HostCalls> hostCalls() {
        return BlockKernels.hostCalls();
    }

    ImageConfig.Changes changes() {
        return ImageConfig.Changes.BEST;
    }

    @BeforeAll
    void mount() throws Exception {
        storage = Optional.of(makeStorage());
    }

    @AfterAll
    void unmount() throws Exception {
        if (storage.isPresent()) {
            storage.get().close();
        }
    }

    /** The next test gets a folder of its own. */
    @AfterEach
    void leaveFolder() {
        folder = Optional.empty();
    }

    final TestStorage storage() {
        return storage.orElseThrow();
    }

    final Path folder() throws IOException {
        if (folder.isEmpty()) {
            folder = Optional.of(storage().freshFolder());
        }
        return folder.get();
    }

    @Override
    protected StorageProvider open() throws Exception {
        var host = new ImageHost(
                hostCalls(), new CommandRunner(), LoopDevices.ofHost(), InstantSource.system(), System::nanoTime);
        return ImageProvider.open(new ImageConfig(List.of(folder()), changes()), host);
    }
}

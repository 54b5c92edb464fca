package io.tidemark.provider.btrfs;

import io.tidemark.provider.conformance.ProviderContract;
import io.tidemark.provider.conformance.TestStorage;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

/** The providers' contract over a Btrfs on a loop device. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BtrfsContractTest extends ProviderContract {
    private Optional<TestStorage> storage = Optional.empty();
    private Optional<Path> folder = Optional.empty();

    @BeforeAll
    void mount() throws Exception {
        storage = Optional.of(TestStorage.mounted("btrfs"));
    }

    @AfterAll
    void unmount() throws Exception {
        if (storage.isPresent()) {
            storage.get().close();
        }
    }

    @AfterEach
    void leaveFolder() {
        folder = Optional.empty();
    }

    @Override
    protected StorageProvider open() throws Exception {
        if (folder.isEmpty()) {
            folder = Optional.of(storage.orElseThrow().freshFolder());
        }
        return BtrfsGround.open(folder.get(), BtrfsGround.host());
    }

    /** No name of a folder's entry has a slash. */
    @Override
    protected VolumeId named(String name) {
        return super.named(name.replace("/", ".slash."));
    }

    @Override
    protected VolumeId make(String name, long sizeBytes) throws Exception {
        var volume = named(name);
        BtrfsGround.host().btrfsCreateSubvolume(folder.orElseThrow().resolve(volume.name()));
        return volume;
    }
}

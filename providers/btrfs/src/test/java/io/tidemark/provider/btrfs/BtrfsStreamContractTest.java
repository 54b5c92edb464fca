package io.tidemark.provider.btrfs;

import io.tidemark.provider.conformance.StreamContract;
import io.tidemark.provider.conformance.StreamEnd;
import io.tidemark.provider.conformance.TestStorage;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

/** The contract of streams between two Btrfs on loop devices. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BtrfsStreamContractTest extends StreamContract {
    private final Map<StreamEnd, TestStorage> storages = new EnumMap<>(StreamEnd.class);
    private final Map<StreamEnd, Path> folders = new EnumMap<>(StreamEnd.class);

    @BeforeAll
    void mount() throws Exception {
        for (var each : StreamEnd.values()) {
            storages.put(each, TestStorage.mounted("btrfs"));
        }
    }

    @AfterAll
    void unmount() throws Exception {
        for (var storage : storages.values()) {
            storage.close();
        }
    }

    @AfterEach
    void leaveFolders() {
        folders.clear();
    }

    @Override
    protected StorageProvider open(StreamEnd end) throws Exception {
        if (!folders.containsKey(end)) {
            folders.put(end, Objects.requireNonNull(storages.get(end)).freshFolder());
        }
        return BtrfsGround.open(folder(end), BtrfsGround.host());
    }

    private Path folder(StreamEnd end) {
        return Objects.requireNonNull(folders.get(end));
    }

    @Override
    protected VolumeId make(StorageProvider provider, StreamEnd end) throws Exception {
        var volume = VolumeId.of(provider.name(), "home");
        BtrfsGround.host().btrfsCreateSubvolume(folder(end).resolve(volume.name()));
        return volume;
    }
}

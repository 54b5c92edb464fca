package io.tidemark.provider.btrfs;

import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.nativeblock.HostCalls;
import io.tidemark.provider.conformance.TestStorage;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.Assertions;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;

/** One Btrfs for the tests of a class, a folder of it for each test. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class BtrfsGround {
    static final VolumeId HOME = VolumeId.of("btrfs", "home");

    private TestStorage storage;
    private Path folder;
    private BtrfsProvider provider;

    @SuppressWarnings("NullAway.Init") // made before every test
    BtrfsGround() {}

    @BeforeAll
    void mount() throws Exception {
        TestStorage.needs(
                BlockKernels.hostCalls().isPresent(),
                "the native library did not load: "
                        + BlockKernels.unavailableReason().orElse(""));
        storage = TestStorage.mounted("btrfs");
    }

    @AfterAll
    void unmount() throws Exception {
        if (storage != null) {
            storage.close();
        }
    }

    @BeforeEach
    void openFolder() throws Exception {
        folder = storage.freshFolder();
        provider = open(folder, host());
    }

    @AfterEach
    void closeFolder() {
        provider.close();
    }

    static HostCalls host() {
        return BlockKernels.hostCalls().orElseThrow();
    }

    static BtrfsProvider open(Path folder, HostCalls host) throws ProviderException {
        return BtrfsProvider.open(
                new BtrfsConfig(folder), host, SubvolumeUse.ofHost(System::nanoTime), System::nanoTime);
    }

    final TestStorage storage() {
        return storage;
    }

    final Path folder() {
        return folder;
    }

    final BtrfsProvider provider() {
        return provider;
    }

    final void reopen() throws Exception {
        provider.close();
        provider = open(folder, host());
    }

    /** A subvolume with one file. */
    final Path make(String name, String content) throws Exception {
        var path = folder.resolve(name);
        host().btrfsCreateSubvolume(path);
        Files.writeString(path.resolve("file"), content);
        return path;
    }

    static SnapshotId cut(StorageProvider provider, VolumeId volume, String point) throws ProviderException {
        return provider.cut(new CutRequest(new RecoveryPointId(point), List.of(volume)))
                .members()
                .getFirst()
                .snapshot()
                .id();
    }

    static <E extends ProviderError> E errorOf(Class<E> kind, ThrowingCallable call) {
        var thrown = Assertions.catchThrowableOfType(ProviderException.class, call);
        Assertions.assertThat(thrown).as("a %s", kind.getSimpleName()).isNotNull();
        Assertions.assertThat(thrown.error()).isInstanceOf(kind);
        return kind.cast(thrown.error());
    }
}

package io.tidemark.provider.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.conformance.TestStorage;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A volume with a file system in it, mounted through a loop device, as a database's would be. */
class LoopMountedImageTest {
    private static final VolumeId VOLUME = VolumeId.of("image", "orders/data");
    private static final long VOLUME_BYTES = 64 << 20;

    private Optional<Fixture> fixture = Optional.empty();

    /** Everything that must be undone, in order. */
    private record Fixture(TestStorage storage, Path mountPoint, StorageProvider provider) {}

    @BeforeEach
    void mountAVolume() throws Exception {
        var storage = TestStorage.mounted("btrfs");
        var folder = storage.freshFolder();
        var mountPoint = Files.createDirectory(storage.base().resolve("mounted volume"));
        var provider = open(folder);
        fixture = Optional.of(new Fixture(storage, mountPoint, provider));
        var device = provider.create(VOLUME, VOLUME_BYTES).device().orElseThrow();
        storage.must("mkfs.ext4", "-q", device.toString());
        storage.must("mount", "-o", "loop", device.toString(), mountPoint.toString());
    }

    private static StorageProvider open(Path folder) throws ProviderException {
        var host = new ImageHost(
                BlockKernels.hostCalls(),
                new CommandRunner(),
                LoopDevices.ofHost(),
                InstantSource.system(),
                System::nanoTime);
        return ImageProvider.open(new ImageConfig(List.of(folder), ImageConfig.Changes.BEST), host);
    }

    @AfterEach
    void undo() throws Exception {
        if (fixture.isPresent()) {
            fixture.get().provider().close();
            if (isMounted()) {
                unmount();
            }
            fixture.get().storage().close();
        }
    }

    @Test
    void mountPointOfAnImageIsFoundWhateverItsName() throws Exception {
        var volume = provider().volume(VOLUME);

        assertThat(volume.mountPoints()).containsExactly(mountPoint());
        assertThat(volume.facts()).containsKey("loopDevices");
        assertThat(provider().volumes().stream().map(Volume::mountPoints)).containsExactly(List.of(mountPoint()));
        unmount();
        assertThat(provider().volume(VOLUME).mountPoints()).isEmpty();
    }

    @Test
    void mountedVolumeIsNeitherWrittenNorRolledBackNorRemoved() throws Exception {
        var snapshot =
                provider().cut(request("rp-1")).members().getFirst().snapshot().id();

        assertThat(busy(() -> provider().write(VOLUME)).holder())
                .contains("/dev/loop", mountPoint().toString());
        assertThat(busy(() -> provider().rollback(snapshot)).holder()).contains("/dev/loop");
        assertThat(busy(() -> provider().remove(VOLUME)).holder()).contains("/dev/loop");

        unmount();
        assertThat(provider().rollback(snapshot)).isInstanceOf(Step.Done.class);
    }

    @Test
    void renamedBackingFileIsStillFoundAndADeletedOneIsNot() throws Exception {
        var device = provider().volume(VOLUME).device().orElseThrow();
        var elsewhere = device.resolveSibling("renamed.img");

        Files.move(device, elsewhere);
        assertThat(LoopDevices.ofHost().on(elsewhere)).hasSize(1);
        Files.move(elsewhere, device);
        assertThat(provider().volume(VOLUME).mountPoints()).containsExactly(mountPoint());

        Files.move(device, elsewhere);
        Files.createFile(device);
        assertThat(LoopDevices.ofHost().on(device)).isEmpty();
        Files.delete(elsewhere);
        assertThat(LoopDevices.ofHost().on(device)).isEmpty();
    }

    @Test
    void cloneOfAFrozenMountHoldsWhatWasWrittenBeforeTheFreeze() throws Exception {
        var storage = fixture.orElseThrow().storage();
        Files.writeString(mountPoint().resolve("before"), "acknowledged");
        storage.must("sync", "-f", mountPoint().toString());
        storage.must("fsfreeze", "--freeze", mountPoint().toString());
        try {
            provider().cut(request("rp-1"));
        } finally {
            storage.must("fsfreeze", "--unfreeze", mountPoint().toString());
        }
        Files.writeString(mountPoint().resolve("after"), "too late");
        var snapshot =
                provider().cut(request("rp-1")).members().getFirst().snapshot().id();
        var clone = VolumeId.of("image", "clone");
        provider().clone(new CloneRequest(snapshot, clone));
        unmount();

        var device = provider().volume(clone).device().orElseThrow();
        storage.must("e2fsck", "-fn", device.toString());
        storage.must("mount", "-o", "loop", device.toString(), mountPoint().toString());

        assertThat(mountPoint().resolve("before")).hasContent("acknowledged");
        assertThat(mountPoint().resolve("after")).doesNotExist();
        assertThat(provider().volume(VOLUME).mountPoints()).isEmpty();
        assertThat(provider().volume(clone).mountPoints()).containsExactly(mountPoint());
    }

    private StorageProvider provider() {
        return fixture.orElseThrow().provider();
    }

    private Path mountPoint() {
        return fixture.orElseThrow().mountPoint();
    }

    private boolean isMounted() throws Exception {
        var mount = mountPoint().toString().replace(" ", "\\040");
        return Files.readString(Path.of("/proc/self/mountinfo")).contains(" " + mount + " ");
    }

    private void unmount() throws Exception {
        fixture.orElseThrow().storage().must("umount", mountPoint().toString());
    }

    private static CutRequest request(String point) {
        return new CutRequest(new RecoveryPointId(point), List.of(VOLUME));
    }

    private static ProviderError.Busy busy(ThrowingCallable call) {
        var thrown = catchThrowableOfType(ProviderException.class, call);
        assertThat(thrown).isNotNull();
        assertThat(thrown.error()).isInstanceOf(ProviderError.Busy.class);
        return (ProviderError.Busy) thrown.error();
    }
}

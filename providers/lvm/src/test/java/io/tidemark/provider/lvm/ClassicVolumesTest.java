package io.tidemark.provider.lvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Classic volumes that are made, and what dies before each of the steps of that. */
class ClassicVolumesTest {
    private static final VolumeId NEW = VolumeId.of("lvm", "vg/new");
    private static final String NAME = LvmNames.forVolume(NEW);
    /** Zeros are written in five calls. */
    private static final long BYTES = (1L << 30) + 512;

    private final ClassicGroup group = new ClassicGroup("orders");
    private ClassicVolumes volumes = new ClassicVolumes(ClassicGroup.GROUP, group);

    private final Alone alone = new Alone() {
        @Override
        public <T> T run(Change<T> change) throws ProviderException {
            return change.run(catalog());
        }
    };

    private LvmCatalog catalog() {
        return new LvmCatalog(ClassicGroup.GROUP, group.list());
    }

    private void make(long sizeBytes) throws ProviderException {
        volumes.make(NEW, sizeBytes, alone, _ -> {});
    }

    @Test
    void volumeIsListedOnceItReadsAsZeros() throws Exception {
        var told = new AtomicLong();

        volumes.make(NEW, BYTES, alone, zeroed -> {
            told.addAndGet(zeroed);
            assertThat(catalog().find(NEW)).isEmpty();
            assertThat(catchThrowableOfType(ProviderException.class, () -> volumes.refuseWhileMade(NEW))
                            .error())
                    .isInstanceOf(ProviderError.Busy.class);
            assertThat(catchThrowableOfType(ProviderException.class, () -> make(512))
                            .error())
                    .isInstanceOf(ProviderError.VolumeExists.class);
        });

        assertThat(told).hasValue(BYTES);
        assertThat(catalog().get(NEW).sizeBytes()).isEqualTo(BYTES);
        assertThat(group.contents).containsEntry(NAME, "zeros");
        volumes.refuseWhileMade(NEW);
    }

    @Test
    void madeMeanwhileIsAnsweredAndOfAnotherSizeRefused() throws Exception {
        make(BYTES);
        long before = group.zeroedBytes;

        make(BYTES);

        assertThat(group.zeroedBytes).isEqualTo(before);
        assertThatThrownBy(() -> make(512)).isInstanceOf(ProviderException.class);
        assertThat(catalog().get(NEW).sizeBytes()).isEqualTo(BYTES);
    }

    @Test
    void whateverDiesNothingIsListedAndTheNextProcessRemovesIt() throws Exception {
        // The volume itself, five calls of zeros, the tag.
        for (int left = 0; left < 7; left++) {
            group.changesLeft = left;
            assertThatThrownBy(() -> make(BYTES)).isInstanceOf(ProviderException.class);
            group.changesLeft = Integer.MAX_VALUE;
            assertThat(catalog().find(NEW)).as("died at change %d", left).isEmpty();
            assertThat(group.volumes.containsKey(NAME)).isEqualTo(left > 0);

            volumes = new ClassicVolumes(ClassicGroup.GROUP, group);
            volumes.sweep(catalog());

            assertThat(group.volumes).containsOnlyKeys("orders");
        }
        make(BYTES);
        assertThat(catalog().find(NEW)).isPresent();
    }

    @Test
    void groupWithoutRoomIsToldWithItsFreeBytes() {
        group.freeBytes = 1 << 20;

        var error = catchThrowableOfType(ProviderException.class, () -> volumes.refuseWithoutRoom(BYTES))
                .error();

        assertThat(error).isEqualTo(new ProviderError.OutOfSpace("volume group vg", 1 << 20, BYTES));
        assertThatCode(() -> volumes.refuseWithoutRoom(1 << 20)).doesNotThrowAnyException();
    }

    @Test
    void failureTakesTheVolumeBack() {
        assertThatThrownBy(() -> volumes.make(NEW, BYTES, alone, zeroed -> {
                    // The next call fails, and what comes after it does not.
                    group.failOnce = true;
                }))
                .isInstanceOf(ProviderException.class);

        assertThat(group.volumes).containsOnlyKeys("orders");
    }

    @Test
    void sweepThatFailsKeepsNobodyFromTheRestAndTheNextCallMakesItAnew() throws Exception {
        group.changesLeft = 1;
        assertThatThrownBy(() -> make(BYTES)).isInstanceOf(ProviderException.class);

        volumes.sweep(catalog());

        assertThat(catalog().find(NEW)).isEmpty();
        group.changesLeft = Integer.MAX_VALUE;
        make(512);
        assertThat(catalog().get(NEW).sizeBytes()).isEqualTo(512);
    }
}

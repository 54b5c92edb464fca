package io.tidemark.provider.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.provider.conformance.TestStorage;
import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** On a file system of 1 GiB without shared extents, where every snapshot and clone is a copy. */
class OutOfSpaceTest {
    private static final VolumeId VOLUME = VolumeId.of("image", "large");
    private static final long WRITTEN_BYTES = 400 << 20;

    @Test
    void copyThatCannotFitIsRefusedBeforeAnythingIsDone() throws Exception {
        try (var storage = TestStorage.mounted("ext4")) {
            var folder = storage.freshFolder();
            try (var provider = CrashSubject.open(folder)) {
                provider.create(VOLUME, 100L << 30);
                fill(provider);
                var first = new CutRequest(new RecoveryPointId("rp-1"), List.of(VOLUME));
                var forecast = provider.forecast(first.volumes());
                assertThat(forecast.duration().toMillis()).isPositive();
                assertThat(forecast.notes().getFirst()).contains("sparse copy");
                var snapshot = provider.cut(first).members().getFirst().snapshot();
                assertThat(snapshot.sizeBytes()).isEqualTo(100L << 30);

                var second = new CutRequest(new RecoveryPointId("rp-2"), List.of(VOLUME));
                outOfSpace(() -> provider.prepare(second));
                assertThat(DurableFiles.entries(folder.resolve(ImageFolder.OURS, "snapshots")))
                        .as("what the one snapshot needs, and nothing of the refused one")
                        .noneMatch(entry -> entry.toString().contains("rp-2"));
                var error = outOfSpace(() -> provider.cut(second));
                assertThat(error.neededBytes()).isGreaterThanOrEqualTo(WRITTEN_BYTES);
                assertThat(error.freeBytes()).isLessThan(WRITTEN_BYTES);
                var clone = new CloneRequest(snapshot.id(), VolumeId.of("image", "clone"));
                outOfSpace(() -> provider.clone(clone));
                outOfSpace(() -> provider.rollback(snapshot.id()));

                assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                        .containsExactly(snapshot);
                assertThat(provider.volumes()).hasSize(1);
                assertThat(DurableFiles.entries(folder.resolve(ImageFolder.OURS, "work")))
                        .isEmpty();
            }
        }
    }

    private static void fill(StorageProvider provider) throws Exception {
        var chunk = new byte[1 << 20];
        new Random(1).nextBytes(chunk);
        try (var writer = provider.write(VOLUME)) {
            for (long offset = 0; offset < WRITTEN_BYTES; offset += chunk.length) {
                writer.write(offset * 10, ByteBuffer.wrap(chunk));
            }
            writer.flush();
        }
    }

    private static ProviderError.OutOfSpace outOfSpace(ThrowingCallable call) {
        var thrown = catchThrowableOfType(ProviderException.class, call);
        assertThat(thrown).isNotNull();
        assertThat(thrown.error()).isInstanceOf(ProviderError.OutOfSpace.class);
        return (ProviderError.OutOfSpace) thrown.error();
    }
}

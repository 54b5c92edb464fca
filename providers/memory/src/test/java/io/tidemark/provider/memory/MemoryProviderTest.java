package io.tidemark.provider.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.conformance.FaultyProvider;
import io.tidemark.provider.conformance.FaultyProvider.Fault;
import io.tidemark.provider.conformance.FaultyProvider.When;
import io.tidemark.provider.conformance.ProviderCall;
import io.tidemark.provider.conformance.ProviderContract;
import io.tidemark.provider.conformance.RecordingProvider;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MemoryProviderTest extends ProviderContract {
    private static final VolumeId VOLUME = VolumeId.of("memory", "orders");
    private static final CutRequest REQUEST = new CutRequest(new RecoveryPointId("rp-1"), List.of(VOLUME));
    private static final ProviderError ERROR = new ProviderError.Unexpected("test", "told to fail");

    private final MemoryStorage storage = new MemoryStorage();

    @Override
    protected StorageProvider open() {
        return new MemoryProvider("memory", storage, InstantSource.system(), System::nanoTime);
    }

    @Test
    void crashKeepsWhatWasFlushedAndSomeOfWhatWasNot() throws Exception {
        var provider = open();
        provider.create(VOLUME, 100 * 4096);
        try (var writer = provider.write(VOLUME)) {
            writer.write(0, filled(50 * 4096, 1));
            writer.flush();
            writer.write(25 * 4096, filled(50 * 4096, 2));
            storage.crash(new Random(7));
            assertThatThrownBy(writer::flush).isInstanceOf(ProviderException.class);
        }

        var content = ByteBuffer.allocate(100 * 4096);
        try (var writer = provider.write(VOLUME)) {
            writer.read(0, content);
        }

        assertThat(content.array()).startsWith(filled(25 * 4096, 1).array());
        int kept = 0;
        for (int block = 25; block < 75; block++) {
            byte first = content.array()[block * 4096];
            assertThat(first).isIn((byte) 2, (byte) (block < 50 ? 1 : 0));
            kept += first == 2 ? 1 : 0;
        }
        assertThat(kept).isBetween(10, 40);
    }

    @Test
    void faultBeforeTheEffectChangesNothing() throws Exception {
        var provider = open();
        provider.create(VOLUME, 4096);
        var faulty = faulty(provider, Fault.once(ProviderCall.CUT, When.BEFORE_EFFECT, ERROR));

        assertThatThrownBy(() -> faulty.cut(REQUEST)).isInstanceOf(ProviderException.class);

        assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots()).isEmpty();
        assertThat(faulty.failures()).isEqualTo(1);
    }

    @Test
    void faultAfterTheEffectLosesOnlyTheAnswer() throws Exception {
        var provider = open();
        provider.create(VOLUME, 4096);
        var faulty = faulty(provider, Fault.once(ProviderCall.CUT, When.AFTER_EFFECT, ERROR));
        assertThatThrownBy(() -> faulty.cut(REQUEST)).isInstanceOf(ProviderException.class);

        var again = faulty.cut(REQUEST);

        assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                .containsExactly(again.members().getFirst().snapshot());
    }

    @Test
    void writerWhoseAnswerWasLostDoesNotKeepTheVolumeBusy() throws Exception {
        var provider = open();
        provider.create(VOLUME, 4096);
        var faulty = faulty(provider, Fault.once(ProviderCall.WRITE, When.AFTER_EFFECT, ERROR));
        assertThatThrownBy(() -> faulty.write(VOLUME)).isInstanceOf(ProviderException.class);

        try (var writer = faulty.write(VOLUME)) {
            assertThat(writer.sizeBytes()).isEqualTo(4096);
        }
    }

    @Test
    void sameSeedFailsTheSameCalls() throws Exception {
        assertThat(failedCalls(1)).isEqualTo(failedCalls(1)).isNotEqualTo(failedCalls(2));
    }

    private String failedCalls(long seed) throws ProviderException {
        var provider = new MemoryProvider();
        provider.create(VOLUME, 4096);
        var faulty = new FaultyProvider(
                provider,
                new Random(seed),
                List.of(new Fault(ProviderCall.VOLUMES, When.BEFORE_EFFECT, 0.5, 100, ERROR)));
        var failed = new StringBuilder();
        for (int call = 0; call < 40; call++) {
            try {
                failed.append(faulty.volumes().size());
            } catch (ProviderException e) {
                failed.append('x');
            }
        }
        return failed.toString();
    }

    @Test
    void recordingTellsCallsInOrderWithTheirFailures() throws Exception {
        var recording = new RecordingProvider(open());
        recording.create(VOLUME, 4096);
        assertThatThrownBy(() -> recording.volume(VolumeId.of("memory", "absent")))
                .isInstanceOf(ProviderException.class);
        recording.cut(REQUEST);

        assertThat(recording.calls().stream().map(RecordingProvider.Call::call))
                .containsExactly(ProviderCall.CREATE, ProviderCall.VOLUME, ProviderCall.CUT);
        assertThat(recording.calls(ProviderCall.VOLUME).getFirst().failure())
                .isEqualTo(Optional.of(new ProviderError.VolumeNotFound(VolumeId.of("memory", "absent"))));
    }

    private static FaultyProvider faulty(StorageProvider provider, Fault fault) {
        return new FaultyProvider(provider, new Random(1), List.of(fault));
    }

    private static ByteBuffer filled(int length, int value) {
        var bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return ByteBuffer.wrap(bytes);
    }
}

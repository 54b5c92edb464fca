package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.LinkId;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.protocol.SyncCost;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SourceImageTest {
    private static final VolumeId VOLUME = new VolumeId("fake:orders");
    private static final long SIZE = 64L << 20;

    private final AtomicInteger open = new AtomicInteger();
    private @Nullable Exception unreadableBase;
    private @Nullable Exception undescribed;

    private SourceImage open(AtomicBoolean cancelled) throws ProviderException, ReplicationException {
        var wanted = new SourceImage.Wanted(snapshot("rp-2"), Optional.of(snapshot("rp-1")), 0);
        var transfer =
                TrackingTrust.unaudited(TestSite.KERNEL).begin(new LinkId("ln-1"), VOLUME, new RecoveryPointId("rp-2"));
        var origin = new SourceHost.Origin(
                provider(), TestSite.KERNEL, transfer, SentIndexes.none(TestSite.KERNEL), Optional.empty());
        return SourceImage.open(origin, wanted, cancelled::get);
    }

    private static SnapshotId snapshot(String point) {
        return new SnapshotId(VOLUME, new RecoveryPointId(point));
    }

    private StorageProvider provider() {
        return (StorageProvider) Proxy.newProxyInstance(
                StorageProvider.class.getClassLoader(),
                new Class<?>[] {StorageProvider.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "read" -> {
                        if (arguments[0].equals(snapshot("rp-1")) && unreadableBase != null) {
                            throw unreadableBase;
                        }
                        open.incrementAndGet();
                        yield new Zeros();
                    }
                    case "volume" -> {
                        if (undescribed != null) {
                            throw undescribed;
                        }
                        yield new Volume(VOLUME, SIZE, Set.of(), Optional.empty(), List.of(), Map.of());
                    }
                    default -> throw new AssertionError(method);
                });
    }

    private final class Zeros implements SnapshotReader {
        @Override
        public long sizeBytes() {
            return SIZE;
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) {
            while (target.hasRemaining()) {
                target.put((byte) 0);
            }
        }

        @Override
        public Optional<Path> path() {
            return Optional.empty();
        }

        @Override
        public void close() {
            open.decrementAndGet();
        }
    }

    @Test
    void nothingStaysOpenWhenTheBaseCannotBeRead() {
        unreadableBase = new ProviderException(new ProviderError.SnapshotNotFound(snapshot("rp-1")));

        assertThatThrownBy(() -> open(new AtomicBoolean())).isSameAs(unreadableBase);

        assertThat(open).hasValue(0);
    }

    @Test
    void nothingStaysOpenWhenTheRangesCannotBeOpened() {
        for (var failure : List.of(
                new ProviderException(new ProviderError.VolumeNotFound(VOLUME)), new IllegalStateException("a bug"))) {
            undescribed = failure;

            assertThatThrownBy(() -> open(new AtomicBoolean())).isSameAs(failure);

            assertThat(open).hasValue(0);
        }
    }

    @Test
    void aCancellationEndsAComparison() throws Exception {
        var cancelled = new AtomicBoolean(true);
        try (var image = open(cancelled)) {
            assertThatThrownBy(() -> image.next(() -> SyncCost.NONE))
                    .isInstanceOf(ProviderException.class)
                    .hasMessageContaining("cancelled");
        }
        assertThat(open).hasValue(0);
    }
}

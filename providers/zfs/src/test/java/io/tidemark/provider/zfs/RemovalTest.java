package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RemovalTest {
    private static final String VOLUME = "tank/v";

    private final FakeZfs zfs = new FakeZfs();
    private final Removal removal = new Removal(zfs);

    @Test
    void snapshotThatCameAfterTheCheckKeepsTheVolume() {
        zfs.add(VOLUME, Map.of());
        zfs.add(VOLUME + "@daily", Map.of());
        zfs.add(VOLUME + "@" + ZfsNames.forDeleted("2"), Map.of());

        assertThatThrownBy(() -> removal.remove(zfs::catalog, VOLUME))
                .isInstanceOfSatisfying(
                        ProviderException.class, e -> assertThat(e.error()).isInstanceOf(ProviderError.Conflict.class));

        assertThat(zfs.changes).isEmpty();
    }

    @Test
    void volumeWhoseSnapshotsAreDeletedIsRemovedWithThem() throws Exception {
        zfs.add(VOLUME, Map.of());
        zfs.add(VOLUME + "@" + ZfsNames.forDeleted("2"), Map.of());

        removal.remove(zfs::catalog, VOLUME);

        assertThat(zfs.objects).isEmpty();
    }
}

package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** What a provider answers under faults, and what it has afterwards. */
final class LabAssertions {
    private LabAssertions() {}

    /** @return how the call failed; its words are in the output, for who reads what an operator would see */
    static <E extends ProviderError> E error(Class<E> type, ThrowingCallable call) {
        var thrown = catchThrowableOfType(ProviderException.class, call);
        assertThat(thrown).as("a failure of class %s", type.getSimpleName()).isNotNull();
        System.out.printf("lab: %s: %s%n", type.getSimpleName(), thrown.getMessage());
        assertThat(thrown.error()).as(thrown.getMessage()).isInstanceOf(type);
        return type.cast(thrown.error());
    }

    static void assertOnly(StorageProvider provider, List<SnapshotId> snapshots, List<VolumeId> volumes)
            throws ProviderException {
        assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                .extracting(each -> each.id())
                .containsExactlyElementsOf(snapshots);
        assertThat(provider.volumes()).extracting(each -> each.id()).containsExactlyElementsOf(volumes);
    }
}

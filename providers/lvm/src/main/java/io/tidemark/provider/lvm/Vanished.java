package io.tidemark.provider.lvm;

import io.tidemark.provider.devices.Vanishing;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import java.util.List;

/** Tells of a call that failed, or answered about something else, because a snapshot was removed meanwhile. */
final class Vanished {
    private final Source source;

    Vanished(Source source) {
        this.source = source;
    }

    /** Looks at the group as it is now. */
    interface Source {
        LvmCatalog catalog() throws ProviderException;
    }

    /**
     * @return what the call answered
     * @throws ProviderException SnapshotNotFound where the snapshot is gone after the call has failed
     */
    <T> T unlessGone(SnapshotId snapshot, Vanishing.Call<T> call) throws ProviderException {
        return Vanishing.unlessGone(
                call,
                () -> source.catalog().findAny(snapshot).isPresent(),
                new ProviderError.SnapshotNotFound(snapshot));
    }

    /**
     * For questions that name thin devices by their number, which LVM gives to the next one as soon as it is free: an
     * answer counts only if the same snapshots have the same numbers afterwards.
     */
    <T> T confirmed(List<LvmCatalog.Entry<SnapshotId>> asked, Vanishing.Call<T> call) throws ProviderException {
        T answer;
        try {
            answer = call.run();
        } catch (ProviderException e) {
            for (var each : asked) {
                unlessGone(each.id(), () -> {
                    throw e;
                });
            }
            throw e;
        }
        var now = source.catalog();
        for (var each : asked) {
            if (now.findAny(each.id())
                    .filter(found -> same(found.on(), each.on()))
                    .isEmpty()) {
                throw new ProviderException(new ProviderError.SnapshotNotFound(each.id()));
            }
        }
        return answer;
    }

    private static boolean same(LogicalVolume left, LogicalVolume right) {
        return left.thinId() == right.thinId() && left.tag(LvmNames.CUT_AT).equals(right.tag(LvmNames.CUT_AT));
    }
}

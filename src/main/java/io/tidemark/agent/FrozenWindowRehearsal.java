package io.tidemark.agent;

import io.tidemark.agent.RecoveryPointSurvey.ProviderCut;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.FileSystems;
import io.tidemark.domain.Moments;
import io.tidemark.spi.Cut;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.lang.reflect.Proxy;
import java.time.Instant;
import java.util.List;

/**
 * Passes a frozen window over nothing, so that every class of the real one is loaded and linked: the first use of a
 * class costs milliseconds that the writers would wait for. A provider rehearses its own part when it prepares.
 */
final class FrozenWindowRehearsal {
    private static final VolumeId VOLUME = VolumeId.of("rehearsal", "none");
    private static final RecoveryPointId RECOVERY_POINT = new RecoveryPointId("rp-rehearsal");

    private FrozenWindowRehearsal() {}

    static void run(FileSystems fileSystems) {
        var provider = (StorageProvider) Proxy.newProxyInstance(
                StorageProvider.class.getClassLoader(),
                new Class<?>[] {StorageProvider.class},
                (proxy, method, arguments) -> cutOfNothing());
        var cuts = List.of(new ProviderCut(provider, new CutRequest(RECOVERY_POINT, List.of(VOLUME))));
        try (var armed = fileSystems.rehearsal()) {
            var unused = FrozenWindow.pass(armed, true, cuts, Rendezvous.ALONE, Moments.NONE);
        } catch (ConsistencyException | ProviderException e) {
            throw new AssertionError("rehearsal of the frozen window failed", e);
        }
    }

    private static Cut cutOfNothing() {
        var snapshot = new Snapshot(new SnapshotId(VOLUME, RECOVERY_POINT), 0, Instant.EPOCH);
        return new Cut(true, List.of(new Cut.Member(snapshot, 0, 0)));
    }
}

package io.tidemark.agent;

import io.tidemark.agent.RecoveryPointSurvey.ProviderCut;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.FileSystems;
import io.tidemark.consistency.Frozen;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.spi.Cut;
import io.tidemark.spi.ProviderException;
import java.util.ArrayList;
import java.util.List;

/**
 * The time in which writers are held: freeze, cut, ask, thaw. Nothing here logs, formats text, starts a program or
 * touches a file of ours; every class it needs was loaded by a rehearsal before.
 */
final class FrozenWindow {

    private FrozenWindow() {}

    /** @param release of the file systems; empty where none was frozen */
    record Outcome(List<Cut> cuts, Frozen.Release release) {}

    /**
     * When it throws, nothing it froze is frozen any more; snapshots may be left, under the recovery point's id.
     *
     * @throws ProviderException when a cut failed
     * @throws ConsistencyException when the freeze failed, here or at another host
     */
    static Outcome pass(
            FileSystems.Armed armed,
            boolean freezes,
            List<ProviderCut> providerCuts,
            Rendezvous rendezvous,
            Moments moments)
            throws ProviderException, ConsistencyException {
        var cuts = new ArrayList<Cut>(providerCuts.size());
        try (var frozen = armed.freeze()) {
            if (freezes) {
                moments.reached(Moment.FILE_SYSTEM_FROZEN);
            }
            rendezvous.frozen();
            for (var cut : providerCuts) {
                cuts.add(cut.provider().cut(cut.request()));
            }
            moments.reached(Moment.SNAPSHOT_CUT);
            rendezvous.cut();
            // The answer is part of the release: a thaw after an expired freeze says that it had not held.
            boolean held = frozen.heldUntilNow();
            moments.reached(Moment.FREEZES_ASKED);
            var release = frozen.thaw();
            return new Outcome(cuts, held ? release : release.notHeld());
        }
    }
}

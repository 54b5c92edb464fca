package io.tidemark.agent;

import io.tidemark.consistency.FileSystems.MountedVolume;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.RecoveryPointPlan;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import java.util.List;

/**
 * What a look at the host found, and what follows from it: the plan, and the objects to carry it out with.
 *
 * @param volumes in the group's order
 * @param cuts one a provider, in order of the group's first volume of each
 * @param quiescers in the order they are frozen
 * @param mounted file systems mounted from the volumes, frozen or not
 * @param toFreeze those that will be frozen
 */
record RecoveryPointSurvey(
        RecoveryPointPlan plan,
        List<Volume> volumes,
        List<ProviderCut> cuts,
        List<Quiescer> quiescers,
        List<MountedVolume> mounted,
        List<MountedVolume> toFreeze) {

    /** All volumes of one provider: they are cut by one call. */
    record ProviderCut(StorageProvider provider, CutRequest request) {}

    RecoveryPointSurvey {
        volumes = List.copyOf(volumes);
        cuts = List.copyOf(cuts);
        quiescers = List.copyOf(quiescers);
        mounted = List.copyOf(mounted);
        toFreeze = List.copyOf(toFreeze);
    }
}

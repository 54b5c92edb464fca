package io.tidemark.agent;

import io.tidemark.consistency.FileSystems.MountedVolume;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.RecoveryPointPlan;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.util.List;
import java.util.Set;

/**
 * What a look at the host found, and what follows from it: the plan, and the objects to carry it out with.
 *
 * @param volumes in the group's order
 * @param cuts one a provider, in order of the group's first volume of each
 * @param quiescers in the order they are frozen
 * @param mounted file systems mounted from the volumes, frozen or not
 * @param toFreeze those that will be frozen
 * @param copied volumes whose snapshot takes a while to copy, so that only a held file system makes it one instant
 */
record RecoveryPointSurvey(
        RecoveryPointPlan plan,
        List<Volume> volumes,
        List<ProviderCut> cuts,
        List<Quiescer> quiescers,
        List<MountedVolume> mounted,
        List<MountedVolume> toFreeze,
        Set<VolumeId> copied) {

    /** All volumes of one provider: they are cut by one call. */
    record ProviderCut(StorageProvider provider, CutRequest request) {}

    RecoveryPointSurvey {
        volumes = List.copyOf(volumes);
        cuts = List.copyOf(cuts);
        quiescers = List.copyOf(quiescers);
        mounted = List.copyOf(mounted);
        toFreeze = List.copyOf(toFreeze);
        copied = Set.copyOf(copied);
    }

    /** Whether a volume would be torn, were its file systems not frozen. */
    boolean copiedIsFrozen() {
        return toFreeze.stream().anyMatch(fileSystem -> copied.contains(fileSystem.volume()));
    }
}

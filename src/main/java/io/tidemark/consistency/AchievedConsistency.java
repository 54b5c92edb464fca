package io.tidemark.consistency;

import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.spi.VolumeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Decides what a recovery point is good for, from its certificate alone. A pure function: anyone who has the
 * certificate can decide again and must come to the same answer.
 *
 * <ul>
 *   <li>{@code FILESYSTEM}: every volume has at least one file system mounted on this host, every one of them was
 *       frozen, the last freeze was acknowledged before the first cut began, the last cut had ended before the first
 *       thaw, and every freeze answered after the last cut that it had held. A volume that is a file system itself
 *       needs no freeze, for its snapshot is one of its own consistent states; several such need one instant.
 *   <li>{@code APPLICATION}: that, and the group names at least one application, and the same is true of every one.
 *   <li>{@code CRASH}: anything less.
 * </ul>
 *
 * <p>A volume with nothing mounted is {@code CRASH}, not vacuously {@code FILESYSTEM}: it may be open in a virtual
 * machine or mounted in another mount namespace, and nothing here held those writers.
 */
public final class AchievedConsistency {

    private AchievedConsistency() {}

    /**
     * What would have to be frozen.
     *
     * @param mountPoints of every volume of the group that has blocks; an empty list where nothing is mounted
     * @param fileSystems volumes of the group that are file systems themselves
     * @param applications the group's quiescers
     */
    public record Wanted(
            Map<VolumeId, List<String>> mountPoints, Set<VolumeId> fileSystems, List<Application> applications) {
        public Wanted {
            mountPoints = Map.copyOf(mountPoints);
            fileSystems = Set.copyOf(fileSystems);
            applications = List.copyOf(applications);
        }
    }

    public record Application(String kind, String subject) {}

    /** @param reasons why it is not higher, one phrase each; empty only at {@code APPLICATION} */
    public record Verdict(Consistency consistency, List<String> reasons) {
        public Verdict {
            reasons = List.copyOf(reasons);
        }
    }

    public static Verdict decide(Certificate certificate, Wanted wanted) {
        var reasons = new ArrayList<String>();
        new TreeMap<>(wanted.mountPoints())
                .forEach((volume, mountPoints) -> judgeVolume(certificate, volume, mountPoints, reasons));
        for (var freeze : certificate.freezes()) {
            if (freeze.kind().equals(Certificate.FILE_SYSTEM)) {
                judgeFreeze(certificate, freeze, reasons);
            }
        }
        wanted.fileSystems().forEach(volume -> requireCut(certificate, volume));
        // What is frozen over all cuts is as it was at each of them; what nobody holds has one instant only.
        int apart = reasons.isEmpty()
                ? wanted.fileSystems().size()
                : certificate.cuts().size();
        if (apart > 1 && !certificate.atomicCut()) {
            reasons.add("volumes were cut one after the other with nothing held back between them");
        }
        boolean fileSystemsHeld = reasons.isEmpty();
        if (wanted.applications().isEmpty()) {
            reasons.add("the group names no application to freeze");
        }
        for (var application : wanted.applications()) {
            judgeApplication(certificate, application, reasons);
        }
        if (reasons.isEmpty()) {
            return new Verdict(Consistency.APPLICATION, reasons);
        }
        return new Verdict(fileSystemsHeld ? Consistency.FILESYSTEM : Consistency.CRASH, reasons);
    }

    /**
     * Why a volume that was copied, not cut at one instant, may be torn: something was mounted from it that was not
     * held over the whole copy. Such a copy is not even {@code CRASH}. Empty where nothing is mounted from it.
     *
     * @param mountPoints of the copied volumes alone
     */
    public static List<String> torn(Certificate certificate, Map<VolumeId, List<String>> mountPoints) {
        var reasons = new ArrayList<String>();
        new TreeMap<>(mountPoints).forEach((volume, all) -> {
            for (var mountPoint : all) {
                var freezes = frozen(certificate, Certificate.FILE_SYSTEM, mountPoint);
                if (freezes.isEmpty()) {
                    reasons.add("file system %s of copied volume %s was not frozen".formatted(mountPoint, volume));
                }
                freezes.forEach(freeze -> judgeFreeze(certificate, freeze, reasons));
            }
        });
        return reasons;
    }

    private static void requireCut(Certificate certificate, VolumeId volume) {
        if (certificate.cuts().stream().noneMatch(cut -> cut.snapshot().volume().equals(volume))) {
            throw new IllegalArgumentException("certificate has no cut of volume " + volume);
        }
    }

    private static void judgeVolume(
            Certificate certificate, VolumeId volume, List<String> mountPoints, List<String> reasons) {
        requireCut(certificate, volume);
        if (mountPoints.isEmpty()) {
            reasons.add("nothing is mounted from volume %s on this host, so nothing held its writers back"
                    .formatted(volume));
        }
        for (var mountPoint : mountPoints) {
            if (frozen(certificate, Certificate.FILE_SYSTEM, mountPoint).isEmpty()) {
                reasons.add("file system %s of volume %s was not frozen".formatted(mountPoint, volume));
            }
        }
    }

    private static void judgeApplication(Certificate certificate, Application application, List<String> reasons) {
        var freezes = frozen(certificate, application.kind(), application.subject());
        if (freezes.isEmpty()) {
            reasons.add("%s %s was not frozen".formatted(application.kind(), application.subject()));
        }
        for (var freeze : freezes) {
            judgeFreeze(certificate, freeze, reasons);
        }
    }

    private static void judgeFreeze(Certificate certificate, Certificate.Freeze freeze, List<String> reasons) {
        if (!freeze.heldUntilThaw()) {
            reasons.add(
                    "freeze of %s %s did not hold until every cut was done".formatted(freeze.kind(), freeze.subject()));
        }
        for (var cut : certificate.cuts()) {
            if (freeze.acknowledgedNanos() >= cut.startedNanos() || cut.finishedNanos() >= freeze.thawedNanos()) {
                reasons.add("cut of %s lies outside the freeze of %s %s"
                        .formatted(cut.snapshot(), freeze.kind(), freeze.subject()));
            }
        }
    }

    private static List<Certificate.Freeze> frozen(Certificate certificate, String kind, String subject) {
        return certificate.freezes().stream()
                .filter(freeze -> freeze.kind().equals(kind) && freeze.subject().equals(subject))
                .toList();
    }
}

package io.tidemark.provider.azure;

import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * A collection with one restore point, of several disks at one instant. A restore point itself has no tags, so the
 * collection's tell which disks of it are snapshots of ours, and who holds which: {@code tidemark:member:3} is {@code
 * SIZE TIME VOLUME}, {@code tidemark:hold:3:OWNER} is empty. Without members it is of a cut that is not at its end, or
 * failed: {@code tidemark:planned:3} says in the same form of which disks it was to be.
 *
 * @param id whole, in lower case
 */
record CloudCollection(String id, String machine, Map<String, String> tags) {
    static final String MEMBER = "tidemark:member:";
    static final String PLANNED = "tidemark:planned:";
    /** Of the one restore point in each. */
    static final String POINT = "cut";
    /** A resource has 50 tags: these, two more, and the holds. */
    static final int MEMBERS_MAXIMUM = 20;

    static final int HOLDS_MAXIMUM = 25;

    CloudCollection {
        tags = Map.copyOf(tags);
    }

    String group() {
        return AzureNames.groupOf(id);
    }

    String name() {
        return AzureNames.nameOf(id);
    }

    CloudCollection withTags(Map<String, String> other) {
        return new CloudCollection(id, machine, other);
    }

    private Optional<RecoveryPointId> recoveryPoint() {
        try {
            return Optional.of(new RecoveryPointId(tags.getOrDefault(AzureNames.RECOVERY_POINT, "")));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** By their tags' keys; what somebody has changed to what is none is left out. */
    Map<String, Snapshot> members(AzureConfig config) {
        return told(config, MEMBER);
    }

    /** Those of a cut that is not at its end. */
    Map<String, Snapshot> planned(AzureConfig config) {
        return told(config, PLANNED);
    }

    private Map<String, Snapshot> told(AzureConfig config, String prefix) {
        var members = new LinkedHashMap<String, Snapshot>();
        var of = recoveryPoint();
        for (var each : tags.entrySet()) {
            if (each.getKey().startsWith(prefix) && of.isPresent()) {
                member(config, of.get(), each.getValue()).ifPresent(member -> members.put(each.getKey(), member));
            }
        }
        return members;
    }

    private static Optional<Snapshot> member(AzureConfig config, RecoveryPointId of, String text) {
        var words = text.split(" ", 3);
        try {
            var volume = VolumeId.of(config.name(), words[2]);
            return Optional.of(new Snapshot(
                    new SnapshotId(volume, of),
                    Long.parseLong(words[0]),
                    Instant.ofEpochSecond(Long.parseLong(words[1]))));
        } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
            return Optional.empty();
        }
    }

    Optional<String> keyOf(AzureConfig config, SnapshotId snapshot) {
        return members(config).entrySet().stream()
                .filter(each -> each.getValue().id().equals(snapshot))
                .map(Map.Entry::getKey)
                .findFirst();
    }

    static String told(Snapshot member) {
        return "%d %d %s"
                .formatted(
                        member.sizeBytes(),
                        member.createdAt().getEpochSecond(),
                        member.id().volume().name());
    }

    static String holdKey(String memberKey, HoldOwner owner) {
        return AzureNames.HOLD + memberKey.substring(MEMBER.length()) + ":" + owner;
    }

    Set<HoldOwner> holdsOf(String memberKey) {
        var prefix = AzureNames.HOLD + memberKey.substring(MEMBER.length()) + ":";
        var owners = new TreeSet<HoldOwner>(Comparator.comparing(HoldOwner::value));
        tags.keySet().stream()
                .filter(each -> each.startsWith(prefix))
                .forEach(each -> owners.add(new HoldOwner(each.substring(prefix.length()))));
        return owners;
    }

    long holdCount() {
        return tags.keySet().stream()
                .filter(each -> each.startsWith(AzureNames.HOLD))
                .count();
    }

    /** Its cut is at its end: these are its members, and none is planned. */
    CloudCollection withMembers(List<Snapshot> members) {
        var changed = new HashMap<>(tags);
        changed.keySet().removeIf(each -> each.startsWith(PLANNED));
        changed.putAll(numbered(MEMBER, members));
        return withTags(changed);
    }

    static Map<String, String> numbered(String prefix, List<Snapshot> members) {
        var numbered = new HashMap<String, String>();
        for (var each : members) {
            numbered.put(prefix + numbered.size(), told(each));
        }
        return numbered;
    }

    CloudCollection without(String memberKey) {
        var left = new HashMap<>(tags);
        left.remove(memberKey);
        return withTags(left);
    }
}

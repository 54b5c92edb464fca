package io.tidemark.provider.zfs;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A volume (of blocks, or a file system) or a snapshot, as ZFS has it.
 *
 * @param name {@code pool/path}, or {@code pool/path@snapshot}
 * @param properties those that have a value; user properties only where they are set on this object itself
 */
record ZfsObject(String name, Map<String, String> properties) {
    ZfsObject {
        properties = Map.copyOf(properties);
    }

    boolean isSnapshot() {
        return name.indexOf('@') >= 0;
    }

    /** It, or what it is a snapshot of: only volumes of blocks have a size of their own. */
    boolean isFileSystem() {
        return property("volsize").isEmpty();
    }

    /** The same under another name. */
    ZfsObject called(String newName) {
        return new ZfsObject(newName, properties);
    }

    /** The volume a snapshot lies on now. */
    String zvol() {
        return isSnapshot() ? name.substring(0, name.indexOf('@')) : name;
    }

    /** Behind the {@code @}. */
    String snapshotName() {
        return name.substring(name.indexOf('@') + 1);
    }

    Optional<String> property(String property) {
        return Optional.ofNullable(properties.get(property));
    }

    /** @throws IllegalArgumentException where it is not there, which the parser of reports rules out, or no number */
    long number(String property) {
        return Long.parseUnsignedLong(property(property)
                .orElseThrow(() -> new IllegalArgumentException("%s has no %s".formatted(name, property))));
    }

    /** Of a file system what it refers to, of which a snapshot's never changes. */
    long volumeBytes() {
        return number(isFileSystem() ? "referenced" : "volsize");
    }

    /** What ZFS has left for a volume; it tells that of no snapshot. */
    Optional<Long> bytesAvailable() {
        return property("available").map(Long::parseLong);
    }

    /** Of the transaction group that made it: older is smaller. */
    long transaction() {
        return number("createtxg");
    }

    List<String> clones() {
        return property("clones").map(text -> List.of(text.split(",", -1))).orElse(List.of());
    }
}

package io.tidemark.spi;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Something a provider can snapshot.
 *
 * @param sizeBytes size of the block image; of a volume with {@link Capability#FILES} the bytes that it refers to, 0
 *     where its storage does not tell
 * @param capabilities what this volume's storage can do
 * @param device the file or block device that holds the bytes, where one can be named on this host
 * @param mountPoints where a file system on this volume is mounted on this host, directly or through a loop device; of
 *     a volume with {@link Capability#FILES} where its root is seen
 * @param facts what an operator may want to know, for example {@code fileSystem=btrfs}, {@code method=subvolume}
 */
public record Volume(
        VolumeId id,
        long sizeBytes,
        Set<Capability> capabilities,
        Optional<Path> device,
        List<Path> mountPoints,
        Map<String, String> facts) {

    public Volume {
        if (sizeBytes < 0) {
            throw new IllegalArgumentException("sizeBytes of %s is negative: %d".formatted(id, sizeBytes));
        }
        capabilities = Set.copyOf(capabilities);
        mountPoints = List.copyOf(mountPoints);
        facts = Map.copyOf(facts);
    }

    public boolean can(Capability capability) {
        return capabilities.contains(capability);
    }
}

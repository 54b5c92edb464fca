package io.tidemark.discovery;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A volume of a site, as it lists it.
 *
 * @param device file or block device that holds its bytes
 * @param files whether it is a file system itself, known by the device that stat(2) gives all files in it
 */
public record KnownVolume(String id, Optional<Path> device, List<Path> mountPoints, boolean files) {
    public KnownVolume {
        mountPoints = List.copyOf(mountPoints);
    }
}

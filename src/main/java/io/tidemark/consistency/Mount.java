package io.tidemark.consistency;

import java.nio.file.Path;

/**
 * One line of {@code /proc/self/mountinfo}.
 *
 * @param device {@code major:minor} of the file system; major 0 where it has no block device of its own (Btrfs, tmpfs)
 * @param source what was mounted: {@code /dev/loop0}, {@code tmpfs}
 */
public record Mount(String device, Path mountPoint, String type, String source) {}

package io.tidemark.provider.ebs;

import io.tidemark.provider.devices.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Which of the volumes are disks of this host: on instances with NVMe the disk's serial number is the volume's id, and udev
 * makes a link of it (EC2 User Guide, "Map NVMe block devices to volumes").
 */
final class HostDisks {
    static final Path BY_ID = Path.of("/dev/disk/by-id");
    private static final String LINK = "nvme-Amazon_Elastic_Block_Store_";

    private final Path folder;
    private final Mounts mounts;

    HostDisks(Path folder, Mounts mounts) {
        this.folder = folder;
        this.mounts = mounts;
    }

    static HostDisks now() {
        try {
            return new HostDisks(BY_ID, Mounts.ofHost());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException("mounts of this host cannot be read", e);
        }
    }

    Optional<Path> device(String volume) {
        var link = folder.resolve(LINK + volume.replace("-", ""));
        try {
            return Files.exists(link) ? Optional.of(link.toRealPath()) : Optional.empty();
        } catch (IOException e) {
            // Detached this moment.
            return Optional.empty();
        }
    }

    List<Path> mountPoints(Path device) {
        try {
            return mounts.of(device);
        } catch (IOException e) {
            return List.of();
        }
    }
}

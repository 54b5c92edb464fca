package io.tidemark.system.lab;

import io.tidemark.provider.zfs.ZfsProviderFactory;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Programs;
import java.io.IOException;
import java.util.Map;
import java.util.Objects;

/**
 * A pool of ZFS on a disk that no other test has: what a fault leaves of it goes with the guest.
 *
 * @param device a loop device: of a whole disk zpool makes a partition, and waits for udev, which does not run
 */
record LabZpool(String name, String device) {

    static LabZpool make(String... options) throws IOException {
        return on(LabPool.nextDisk(), options);
    }

    /** @param options of {@code zpool create} */
    static LabZpool on(String disk, String... options) throws IOException {
        var made = new LabZpool("faults-" + disk.substring(disk.lastIndexOf('/') + 1), looped(disk));
        // Uncompressed: a chunk takes the room of a chunk.
        Programs.run(
                "bash",
                "-c",
                "zpool create -f -O mountpoint=none -O compression=off %s %s %s"
                        .formatted(String.join(" ", options), made.name, made.device));
        return made;
    }

    /** Past the page cache, so that an error of the disk is one of the device. */
    static String looped(String disk) throws IOException {
        return Programs.run("losetup", "-f", "--show", "--direct-io=on", disk);
    }

    StorageProvider open() throws Exception {
        return new ZfsProviderFactory().create(Map.of("dataset", name));
    }

    static VolumeId volume(String name) {
        return VolumeId.of("zfs", name);
    }

    static String zvol(StorageProvider provider, VolumeId volume) throws ProviderException {
        return Objects.requireNonNull(provider.volume(volume).facts().get("zvol"));
    }

    /** The name in ZFS of a recovery point's one snapshot. */
    String snapshot(String point) throws IOException {
        return Programs.run("zfs", "list", "-H", "-o", "name", "-t", "snapshot", "-r", name)
                .lines()
                .filter(each -> each.endsWith("-" + point))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no snapshot of " + point));
    }

    String get(String property, String dataset) throws IOException {
        return Programs.run("zfs", "get", "-Hp", "-o", "value", property, dataset);
    }
}

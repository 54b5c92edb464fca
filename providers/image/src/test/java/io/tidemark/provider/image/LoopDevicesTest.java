package io.tidemark.provider.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Made-up {@code /sys/block} and mountinfo: partitions, stacked devices, odd names, detached devices. */
class LoopDevicesTest {
    @TempDir
    Path host = Path.of("");

    private Path image = Path.of("");
    private Path device = Path.of("");

    @BeforeEach
    void loopDeviceOnAnImage() throws Exception {
        image = Files.createFile(host.resolve("image with blank.img"));
        device = Files.createDirectories(host.resolve("block/loop7"));
        Files.createDirectory(device.resolve("loop"));
        Files.writeString(device.resolve("loop/backing_file"), image + "\n");
        Files.writeString(device.resolve("dev"), "7:7\n");
        Files.createDirectories(host.resolve("block/sda"));
        Files.createDirectories(host.resolve("block/loop8"));
        Files.writeString(host.resolve("mountinfo"), "");
    }

    private LoopDevices devices() {
        return new LoopDevices(host.resolve("block"), host.resolve("mountinfo"));
    }

    @Test
    void mountsOfTheDeviceAndItsPartitionsAreFound() throws Exception {
        var partition = Files.createDirectory(device.resolve("loop7p1"));
        Files.writeString(partition.resolve("partition"), "1\n");
        Files.writeString(partition.resolve("dev"), "259:3\n");
        Files.writeString(host.resolve("mountinfo"), """
                30 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw
                31 30 7:7 / /mnt/a\\040b rw,noatime shared:2 - ext4 /dev/loop7 rw
                32 30 259:3 / /mnt/part rw - xfs /dev/loop7p1 rw
                33 30 0:55 /sub /mnt/btrfs rw - btrfs /dev/loop7 rw
                34 30 7:7 / /mnt/a\\040b rw,noatime - ext4 /dev/loop7 rw
                garbage
                35 30 0:56 / /mnt/other rw - tmpfs loop7 rw
                """);

        var attachments = devices().on(image);

        assertThat(attachments).hasSize(1);
        assertThat(attachments.getFirst().mountPoints())
                .containsExactly(Path.of("/mnt/a b"), Path.of("/mnt/part"), Path.of("/mnt/btrfs"));
        assertThat(attachments.getFirst().describe()).contains("/dev/loop7", "/mnt/part");
    }

    @Test
    void mountsOfDevicesStackedOnTheLoopDeviceAreFound() throws Exception {
        var holder = Files.createDirectories(host.resolve("block/dm-0"));
        Files.createDirectories(holder.resolve("dm"));
        Files.writeString(holder.resolve("dm/name"), "vg-lv\n");
        Files.writeString(holder.resolve("dev"), "253:0\n");
        Files.createDirectory(device.resolve("holders"));
        Files.createSymbolicLink(device.resolve("holders/dm-0"), holder);
        Files.writeString(host.resolve("mountinfo"), "31 30 253:0 / /mnt/lv rw - ext4 /dev/mapper/vg-lv rw\n");

        assertThat(devices().on(image).getFirst().mountPoints()).containsExactly(Path.of("/mnt/lv"));
    }

    @Test
    void aFileOfAFuseFileSystemIsNotAskedFor() throws Exception {
        var link = Files.createLink(host.resolve("other-name.img"), image);
        var mounted = "40 1 0:60 / %s rw - fuse.nbdfuse nbdfuse rw%n".formatted(host);
        Files.writeString(host.resolve("mountinfo"), mounted);

        assertThat(devices().on(link)).isEmpty();
        assertThat(devices().on(image)).as("by its own name").hasSize(1);

        var over = "41 40 8:1 / %s rw - ext4 /dev/sda1 rw%n".formatted(host);
        Files.writeString(host.resolve("mountinfo"), mounted + over);
        assertThat(devices().on(link)).hasSize(1);
    }

    @Test
    void anotherPathToTheSameFileCounts() throws Exception {
        var link = Files.createLink(host.resolve("other-name.img"), image);

        assertThat(devices().on(link)).hasSize(1);
    }

    @Test
    void deletedBackingFileIsNobodysImage() throws Exception {
        Files.writeString(device.resolve("loop/backing_file"), image + " (deleted)\n");

        assertThat(devices().on(image)).isEmpty();
    }

    @Test
    void hostWithoutLoopDevicesHasNoAttachments() throws Exception {
        assertThat(new LoopDevices(host.resolve("absent"), host.resolve("mountinfo")).on(image))
                .isEmpty();
    }
}

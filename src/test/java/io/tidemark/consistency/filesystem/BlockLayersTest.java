package io.tidemark.consistency.filesystem;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.consistency.MountTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BlockLayersTest {
    @TempDir
    Path folder;

    private Path sys;
    private Path image;
    private MountTable mounts;

    /** An ext4 on a mapped device, on a partition of a loop device, whose image lies on a Btrfs of device 0:41. */
    @BeforeEach
    void stackedDevices() throws IOException {
        sys = folder.toRealPath().resolve("sys");
        image = Files.createFile(folder.toRealPath().resolve("image.raw"));
        var loop = Files.createDirectories(sys.resolve("devices/loop1"));
        Files.createDirectories(loop.resolve("loop"));
        Files.writeString(loop.resolve("loop/backing_file"), image + "\n");
        var partition = Files.createDirectories(loop.resolve("loop1p1"));
        Files.writeString(partition.resolve("partition"), "1\n");
        var mapped = sys.resolve("devices/dm-0");
        Files.createDirectories(mapped.resolve("slaves"));
        Files.createSymbolicLink(mapped.resolve("slaves/loop1p1"), partition);
        Files.createDirectories(sys.resolve("dev/block"));
        Files.createSymbolicLink(sys.resolve("dev/block/253:0"), mapped);
        mounts = MountTable.parse("22 1 254:0 / / rw - ext4 /dev/vda rw\n"
                + "31 22 253:0 / /data rw - ext4 /dev/mapper/x rw\n"
                + "30 22 0:41 / %s rw - btrfs none rw\n".formatted(folder.toRealPath()));
    }

    @Test
    void fileSystemRestsOnWhatHoldsItsImage() {
        var data = mounts.holding(Path.of("/data/base")).orElseThrow();

        assertThat(new BlockLayers(sys, mounts).fileSystemsUnder(data)).containsExactly("253:0", "0:41");
    }

    /** By its node, or by a link to that. */
    @Test
    void deviceRestsOnWhatHoldsTheImageBelowIt() throws IOException {
        Files.createDirectories(sys.resolve("class/block"));
        Files.createSymbolicLink(sys.resolve("class/block/dm-0"), sys.resolve("devices/dm-0"));
        var node = Files.createFile(folder.resolve("dm-0"));
        var link = Files.createSymbolicLink(folder.resolve("orders"), node);

        assertThat(new BlockLayers(sys, mounts).fileSystemsUnder(node)).containsExactly("0:41");
        assertThat(new BlockLayers(sys, mounts).fileSystemsUnder(link)).containsExactly("0:41");
        assertThat(new BlockLayers(sys, mounts).fileSystemsUnder(image)).isEmpty();
    }

    @Test
    void fileSystemWithNothingKnownBelowStandsForItself() {
        var root = mounts.holding(Path.of("/etc")).orElseThrow();

        assertThat(new BlockLayers(sys, mounts).fileSystemsUnder(root)).containsExactly("254:0");
    }
}

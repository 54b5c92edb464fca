package io.tidemark.consistency;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class MountTableTest {
    private static final MountTable TABLE = MountTable.parse("""
            22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
            30 22 0:41 / /images rw,relatime shared:9 master:2 - btrfs /dev/loop0 rw,subvolid=5
            31 30 7:1 / /images/data\\040base rw,relatime - ext4 /dev/loop1 rw
            32 31 7:2 / /images/data\\040base rw,relatime - xfs /dev/loop2 rw
            33 22 7:2 /sub /elsewhere rw,relatime - xfs /dev/loop2 rw
            nonsense
            """);

    @Test
    void fileIsHeldByTheDeepestMount() {
        assertThat(TABLE.holding(Path.of("/images/a.img")))
                .get()
                .isEqualTo(new Mount("0:41", Path.of("/images"), "btrfs", "/dev/loop0"));
        assertThat(TABLE.holding(Path.of("/imagesque")).orElseThrow().device()).isEqualTo("254:0");
    }

    @Test
    void ofTwoMountsAtOnePlaceTheUpperHoldsIt() {
        assertThat(TABLE.holding(Path.of("/images/data base/x")).orElseThrow().device())
                .isEqualTo("7:2");
    }

    @Test
    void fileSystemIsFoundWhereverItIsMounted() {
        assertThat(TABLE.ofDevice("7:2"))
                .extracting(mount -> mount.mountPoint().toString())
                .containsExactly("/images/data base", "/elsewhere");
    }

    @Test
    void fileThatDoesNotExistIsHeldWhereItsParentIs() {
        var here = MountTable.parse("22 1 254:0 / / rw - ext4 /dev/vda rw");

        assertThat(here.holdingFollowed(Path.of("/tmp/no/such/file"))).isPresent();
    }
}

package io.tidemark.attach;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BlockDeviceTest {
    @Test
    void namesInMountinfoAreReadAsTheyAre() {
        assertThat(BlockDevice.unescaped("/mnt/a\\040b\\134c\\0401")).isEqualTo("/mnt/a b\\c 1");
        assertThat(BlockDevice.unescaped("/mnt/$1")).isEqualTo("/mnt/$1");
    }
}

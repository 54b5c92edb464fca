package io.tidemark.provider.image;

import io.tidemark.provider.conformance.TestStorage;

class BtrfsImageTest extends SharingImageContract {
    @Override
    TestStorage makeStorage() throws Exception {
        return TestStorage.mounted("btrfs");
    }

    @Override
    String expectedSource() {
        return "btrfs-send";
    }
}

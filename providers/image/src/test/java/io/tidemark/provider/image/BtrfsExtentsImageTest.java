package io.tidemark.provider.image;

import io.tidemark.provider.conformance.TestStorage;

/** Btrfs subvolumes whose changes are found by comparing extents, as where {@code btrfs send} is not installed. */
class BtrfsExtentsImageTest extends SharingImageContract {
    @Override
    TestStorage makeStorage() throws Exception {
        return TestStorage.mounted("btrfs");
    }

    @Override
    ImageConfig.Changes changes() {
        return ImageConfig.Changes.EXTENTS;
    }

    @Override
    String expectedSource() {
        return "fiemap";
    }
}

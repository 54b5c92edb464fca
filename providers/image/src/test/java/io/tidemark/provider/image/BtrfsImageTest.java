package io.tidemark.provider.image;

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

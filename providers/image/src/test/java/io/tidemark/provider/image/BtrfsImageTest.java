package io.tidemark.provider.image;

class BtrfsImageTest extends ImageContract {
    @Override
    TestStorage makeStorage() throws Exception {
        return TestStorage.mounted("btrfs");
    }
}

package io.tidemark.provider.image;

class XfsImageTest extends ImageContract {
    @Override
    TestStorage makeStorage() throws Exception {
        return TestStorage.mounted("xfs");
    }
}

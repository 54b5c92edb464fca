package io.tidemark.provider.image;

class XfsImageTest extends SharingImageContract {
    @Override
    TestStorage makeStorage() throws Exception {
        return TestStorage.mounted("xfs");
    }

    @Override
    String expectedSource() {
        return "fiemap";
    }
}

package io.tidemark.provider.image;

import io.tidemark.provider.conformance.TestStorage;

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

package io.tidemark.provider.image;

import io.tidemark.provider.conformance.TestStorage;

/** Lists no extents, and has holes all the same. */
class TmpfsImageTest extends ImageContract {
    @Override
    TestStorage makeStorage() throws Exception {
        return TestStorage.inMemory();
    }
}

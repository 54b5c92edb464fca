package io.tidemark.provider.image;

import io.tidemark.provider.conformance.TestStorage;

/** On whatever file system holds the host's temporary files; ext4 on Debian: sparse copies. */
class PlainImageTest extends ImageContract {
    @Override
    TestStorage makeStorage() throws Exception {
        return TestStorage.plain();
    }
}

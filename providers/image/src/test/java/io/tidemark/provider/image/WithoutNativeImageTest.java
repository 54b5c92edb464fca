package io.tidemark.provider.image;

import io.tidemark.nativeblock.HostCalls;
import io.tidemark.provider.conformance.TestStorage;
import java.util.Optional;

/** Where the native library does not load: sparse copies, and everything compared. */
class WithoutNativeImageTest extends ImageContract {
    @Override
    TestStorage makeStorage() throws Exception {
        return TestStorage.plain();
    }

    @Override
    Optional<HostCalls> hostCalls() {
        return Optional.empty();
    }
}

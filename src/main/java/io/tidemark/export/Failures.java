package io.tidemark.export;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;

/** A provider's errors as those of an image. */
final class Failures {
    private Failures() {}

    static IOException of(ProviderException failure) {
        var mapped = failure.error() instanceof ProviderError.OutOfSpace
                ? new OutOfSpaceException(failure.error().message())
                : new IOException(failure.error().message());
        mapped.initCause(failure);
        return mapped;
    }
}

package io.tidemark.spi;

import java.io.Serial;

/** Carries a {@link ProviderError}; decide by {@code switch} over it. */
public final class ProviderException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    private final transient ProviderError error;

    public ProviderException(ProviderError error) {
        super(error.message());
        this.error = error;
    }

    public ProviderException(ProviderError error, Throwable cause) {
        super(error.message(), cause);
        this.error = error;
    }

    public ProviderError error() {
        return error;
    }
}

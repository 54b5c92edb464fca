package io.tidemark.block;

import java.io.Serial;

/** Carries a {@link BlockError}. */
public final class BlockException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    private final transient BlockError error;

    public BlockException(BlockError error) {
        super(error.message());
        this.error = error;
    }

    public BlockError error() {
        return error;
    }
}

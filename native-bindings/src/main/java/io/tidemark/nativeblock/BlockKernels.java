package io.tidemark.nativeblock;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Finds the best kernel this machine can run. The library is taken from the system property
 * {@code tidemark.native.directory} when set, else from the resources of this jar (extracted once per process to a
 * private folder). Where it cannot load, the Java kernel serves, and one line on {@code System.Logger} says why.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class BlockKernels {

    private BlockKernels() {}

    /** The native kernel where it loads, else the Java one. */
    public static BlockKernel best() {
        throw new UnsupportedOperationException();
    }

    /** Empty where the native library did not load; {@link #unavailableReason()} says why. */
    public static Optional<HostCalls> hostCalls() {
        throw new UnsupportedOperationException();
    }

    /** Why the native library is not used; empty when it is. */
    public static Optional<String> unavailableReason() {
        throw new UnsupportedOperationException();
    }

    /** The {@code thaw-guard} program built beside the library, extracted and executable; empty without it. */
    public static Optional<Path> thawGuard() {
        throw new UnsupportedOperationException();
    }
}

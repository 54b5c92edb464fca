package io.tidemark.nativeblock;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds the best kernel this machine can run. The library is taken from the system property
 * {@code tidemark.native.directory} when set, else from the resources of this jar (extracted once per process to a
 * private folder). Where it cannot load, or {@code tidemark.native.disabled} is {@code true}, the Java kernel serves,
 * and one line on {@code System.Logger} says why.
 */
public final class BlockKernels {
    static final String DIRECTORY_PROPERTY = "tidemark.native.directory";
    static final String DISABLED_PROPERTY = "tidemark.native.disabled";

    private BlockKernels() {}

    /** The native kernel where it loads, else the Java one. */
    public static BlockKernel best() {
        return Loaded.ONCE.kernel();
    }

    /** Empty where the native library did not load; {@link #unavailableReason()} says why. */
    public static Optional<HostCalls> hostCalls() {
        return Optional.ofNullable(Loaded.ONCE.hostCalls());
    }

    /** Empty where the native library did not load. Whether this host has a device mapper shows at the first call. */
    public static Optional<DeviceMapper> deviceMapper() {
        return Optional.ofNullable(Loaded.ONCE.deviceMapper());
    }

    /** Why the native library is not used; empty when it is. */
    public static Optional<String> unavailableReason() {
        return Optional.ofNullable(Loaded.ONCE.unavailableReason());
    }

    /** The {@code thaw-guard} program built beside the library, extracted and executable; empty without it. */
    public static Optional<Path> thawGuard() {
        return Optional.ofNullable(Loaded.ONCE.thawGuard());
    }

    /** What one attempt to load gave; each null stands for "not on this machine". */
    record Loaded(
            BlockKernel kernel,
            @Nullable HostCalls hostCalls,
            @Nullable DeviceMapper deviceMapper,
            @Nullable Path thawGuard,
            @Nullable String unavailableReason) {

        /** Loaded at first use, once in a process: so the reason is logged once. */
        static final Loaded ONCE = load(Boolean.getBoolean(DISABLED_PROPERTY), System.getProperty(DIRECTORY_PROPERTY));

        static Loaded load(boolean disabled, @Nullable String directory) {
            if (disabled) {
                return withoutLibrary("switched off by " + DISABLED_PROPERTY);
            }
            try {
                var files = directory == null
                        ? NativeFiles.extracted(Path.of(System.getProperty("java.io.tmpdir")))
                        : NativeFiles.inDirectory(Path.of(directory));
                var library = TidemarkBlockLibrary.load(files.library());
                var guard = Files.isExecutable(files.thawGuard()) ? files.thawGuard() : null;
                return new Loaded(
                        new NativeBlockKernel(library),
                        new LinuxHostCalls(library),
                        new LinuxDeviceMapper(library),
                        guard,
                        null);
            } catch (IOException | LinkageError e) {
                return withoutLibrary(firstLine(e));
            }
        }

        /** The loader adds its search paths on further lines, which help nobody: the path is absolute. */
        private static String firstLine(Throwable e) {
            return String.valueOf(e.getMessage()).lines().findFirst().orElse(e.toString());
        }

        private static Loaded withoutLibrary(String reason) {
            System.getLogger(BlockKernels.class.getName())
                    .log(
                            System.Logger.Level.WARNING,
                            "native.unavailable kernel=java reason=\"{0}\" effect=\"slower hashing; no reflink, Btrfs"
                                    + " or extent calls, no thaw guard, no thin cuts\"",
                            reason);
            return new Loaded(new JavaBlockKernel(), null, null, null, reason);
        }
    }
}

package io.tidemark.provider.image;

import io.tidemark.nativeblock.HostCallException;
import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What the host's file system complained of, as the SPI's errors. The only place that reads a complaint's text. */
final class Failures {
    /** A mount, an open file or a lock of somebody else seldom ends sooner. */
    static final Duration BUSY_RETRY = Duration.ofSeconds(5);

    private static final int EACCES = 13;

    private Failures() {}

    /** @param doing what was being done, for people: {@code cutting image:orders} */
    static ProviderException of(String doing, Path path, IOException failure) {
        return new ProviderException(errorOf(doing, path, failure), failure);
    }

    private static ProviderError errorOf(String doing, Path path, IOException failure) {
        return switch (failure) {
            case HostCallException e ->
                switch (e.errno()) {
                    case HostCallException.ENOSPC -> outOfSpace(path);
                    case HostCallException.EPERM, EACCES -> new ProviderError.Denied(doing, "rights on " + path);
                    case HostCallException.EBUSY ->
                        new ProviderError.Busy(path.toString(), "another user of the file", BUSY_RETRY);
                    default -> new ProviderError.Unexpected(doing, String.valueOf(e.getMessage()));
                };
            case AccessDeniedException e -> new ProviderError.Denied(doing, "rights on " + e.getFile());
            case ClosedChannelException e -> new ProviderError.Unexpected(doing, "it is closed");
            case FileSystemException e when saysNoSpace(e.getReason()) -> outOfSpace(path);
            case IOException e when saysNoSpace(e.getMessage()) -> outOfSpace(path);
            default -> new ProviderError.Unexpected(doing, failure.toString());
        };
    }

    /** The JDK hands ENOSPC on as the C library's text alone. */
    private static boolean saysNoSpace(@Nullable String text) {
        return text != null && (text.contains("No space left on device") || text.contains("Disk quota exceeded"));
    }

    private static ProviderError outOfSpace(Path path) {
        return new ProviderError.OutOfSpace(path.toString(), freeBytes(path), 0);
    }

    static long freeBytes(Path path) {
        try {
            var existing = Files.exists(path) ? path : DurableFiles.folderOf(path);
            return Files.getFileStore(existing).getUsableSpace();
        } catch (IOException e) {
            // Only evidence for a message: 0 when even that cannot be asked.
            return 0;
        }
    }
}

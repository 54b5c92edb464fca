package io.tidemark.provider.btrfs;

import io.tidemark.nativeblock.HostCallException;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** What the kernel complained of, as the SPI's errors. The only place that reads a complaint's text. */
final class BtrfsErrors {
    /** A mount or an open file of somebody else seldom ends sooner. */
    static final Duration RETRY = Duration.ofSeconds(5);

    private BtrfsErrors() {}

    /** @param doing for people: {@code cutting btrfs:home} */
    static ProviderException of(String doing, Path path, IOException failure) {
        var error = switch (failure) {
            case HostCallException e -> ofNumber(doing, path, e);
            case AccessDeniedException e -> new ProviderError.Denied(doing, "rights on " + e.getFile());
            case FileSystemException e -> ofText(doing, path, e);
            default -> ofText(doing, path, failure);
        };
        return new ProviderException(error, failure);
    }

    private static ProviderError ofNumber(String doing, Path path, HostCallException e) {
        return switch (e.errno()) {
            case HostCallException.ENOSPC, HostCallException.EDQUOT -> outOfSpace(path);
            case HostCallException.EPERM, HostCallException.EACCES ->
                new ProviderError.Denied(doing, "rights on " + path);
            case HostCallException.EBUSY -> new ProviderError.Busy(path.toString(), "a mount on it", RETRY);
            case HostCallException.EROFS -> readOnly(path);
            case HostCallException.ETXTBSY ->
                new ProviderError.Conflict(path.toString(), "it has an active swap file; swapoff first");
            default -> new ProviderError.Unexpected(doing, String.valueOf(e.getMessage()));
        };
    }

    /** The JDK hands these on as the C library's text alone. */
    private static ProviderError ofText(String doing, Path path, IOException failure) {
        var text = Optional.ofNullable(failure.getMessage()).orElse("");
        if (text.contains("No space left on device") || text.contains("Disk quota exceeded")) {
            return outOfSpace(path);
        }
        return text.contains("Read-only file system")
                ? readOnly(path)
                : new ProviderError.Unexpected(doing, failure.toString());
    }

    private static ProviderError outOfSpace(Path path) {
        return new ProviderError.OutOfSpace(path.toString(), 0, 0);
    }

    private static ProviderError readOnly(Path path) {
        return new ProviderError.Conflict(path.toString(), "its file system is mounted read-only; mount it writable");
    }

    static ProviderException busy(Object object, String holder) {
        return new ProviderException(new ProviderError.Busy(object.toString(), holder, RETRY));
    }

    static ProviderException conflict(Object object, String reason) {
        return new ProviderException(new ProviderError.Conflict(object.toString(), reason));
    }
}

package io.tidemark.provider.btrfs;

import io.tidemark.nativeblock.HostCallException;
import io.tidemark.provider.commands.CommandError;
import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.Outcome;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** What the kernel complained of, as the SPI's errors. The only place that reads a complaint's text. */
final class BtrfsErrors {
    /** A mount or an open file of somebody else seldom ends sooner. */
    static final Duration RETRY = Duration.ofSeconds(5);

    /** How btrfs begins a complaint; the mount that it is started behind, or a signal that ends it, has none. */
    private static final String COMPLAINT = "ERROR: ";

    /** Said always, also where little is to be said. */
    private static final String CHROOT = "Chroot to ";

    /** What no stream is to blame for. */
    private static final List<String> OF_THE_HOST =
            List.of("Input/output error", "Cannot allocate memory", "Read-only file system", "Operation not permitted");

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

    /** Of a file of sysfs, whose object may go while it is read. */
    static boolean isGone(IOException failure) {
        return failure instanceof NoSuchFileException
                || Optional.ofNullable(failure.getMessage()).orElse("").contains("No such device");
    }

    static ProviderException of(String doing, CommandException failure) {
        var error = failure.error() instanceof CommandError.NotStarted
                ? new ProviderError.Conflict(
                        doing, failure.error().message() + ". Install it: apt-get install " + StreamProgram.PACKAGE)
                : new ProviderError.Unexpected(doing, failure.error().message());
        return new ProviderException(error, failure);
    }

    /**
     * Of {@code btrfs receive}, which could not do what a whole stream says.
     *
     * @param stream for people
     */
    static ProviderException ofReceiving(String stream, Path into, Outcome outcome) {
        var complaints = outcome.stderr().lines().filter(line -> !line.startsWith(CHROOT));
        var evidence = new Outcome(outcome.exit(), "", complaints.collect(Collectors.joining("\n"))).evidence();
        if (evidence.contains("No space left on device") || evidence.contains("Disk quota exceeded")) {
            return new ProviderException(outOfSpace(into));
        }
        boolean ofTheStream =
                evidence.contains(COMPLAINT) && OF_THE_HOST.stream().noneMatch(evidence::contains);
        return new ProviderException(
                ofTheStream
                        ? new ProviderError.Corrupt(stream, "btrfs receive refused it: " + evidence)
                        : new ProviderError.Unexpected("btrfs receive", evidence));
    }

    static ProviderException corrupt(Object object, String evidence) {
        return new ProviderException(new ProviderError.Corrupt(object.toString(), evidence));
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

package io.tidemark.provider.ebs;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What is done to files of the staging folder, each a step between whose start and end a process may die.
 *
 * <p>A file is replaced whole: written beside, synced, renamed, and its folder synced.
 */
final class StagingFiles {
    private static final String BESIDE = ".new";

    /** Runs before each change; in tests it ends the process, as far as that can be had, or fails. */
    private final Runnable beforeChange;

    StagingFiles(Runnable beforeChange) {
        this.beforeChange = beforeChange;
    }

    /** Does what it does, or fails as files do. */
    private interface Work<T> {
        T run() throws IOException, ProviderException;
    }

    Optional<byte[]> read(Path file) throws ProviderException {
        return done(
                "reading", file, () -> Files.exists(file) ? Optional.of(Files.readAllBytes(file)) : Optional.empty());
    }

    void replace(Path file, byte[] content) throws ProviderException {
        var beside = file.resolveSibling(file.getFileName() + BESIDE);
        changed("writing", beside, () -> {
            try (var channel = FileChannel.open(
                    beside,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE)) {
                var bytes = ByteBuffer.wrap(content);
                while (bytes.hasRemaining()) {
                    var unused = channel.write(bytes);
                }
                channel.force(true);
            }
            return true;
        });
        changed("renaming", file, () -> Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE));
        syncFolder(folderOf(file));
    }

    /** Of what is not the root, which is nobody's staging folder. */
    private static Path folderOf(Path file) {
        return Objects.requireNonNull(file.toAbsolutePath().getParent(), "the root has no folder");
    }

    private void syncFolder(Path folder) throws ProviderException {
        changed("syncing", folder, () -> {
            try (var channel = FileChannel.open(folder, StandardOpenOption.READ)) {
                channel.force(true);
            }
            return true;
        });
    }

    Path makeFolder(Path folder) throws ProviderException {
        var made = changed("making", folder, () -> Files.createDirectories(folder));
        syncFolder(folderOf(folder));
        return made;
    }

    /** A folder gets its name with all that is in it. */
    void nameFolder(Path folder, Path name) throws ProviderException {
        changed("renaming", folder, () -> Files.move(folder, name, StandardCopyOption.ATOMIC_MOVE));
        syncFolder(folderOf(name));
    }

    /** Made where it is missing; what is never written is a hole. */
    FileChannel open(Path file) throws ProviderException {
        return changed(
                "opening",
                file,
                () -> FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.SPARSE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE));
    }

    /** @throws ProviderException Corrupt where it is missing, or shorter */
    FileChannel openExisting(Path file, long bytesMinimum) throws ProviderException {
        if (!Files.exists(file)) {
            throw new ProviderException(new ProviderError.Corrupt(file.toString(), "it is missing"));
        }
        return done("opening", file, () -> {
            var channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
            long size = channel.size();
            if (size < bytesMinimum) {
                channel.close();
                throw new ProviderException(new ProviderError.Corrupt(
                        file.toString(), "it has %d bytes, not %d".formatted(size, bytesMinimum)));
            }
            return channel;
        });
    }

    FileChannel openToRead(Path file) throws ProviderException {
        return done("opening", file, () -> FileChannel.open(file, StandardOpenOption.READ));
    }

    void write(Path file, FileChannel channel, ByteBuffer bytes, long offsetBytes) throws ProviderException {
        changed("writing", file, () -> {
            long at = offsetBytes;
            while (bytes.hasRemaining()) {
                at += channel.write(bytes, at);
            }
            return at;
        });
    }

    /** @throws ProviderException Corrupt where the file ends before */
    void read(Path file, FileChannel channel, ByteBuffer target, long offsetBytes) throws ProviderException {
        done("reading", file, () -> {
            long at = offsetBytes;
            while (target.hasRemaining()) {
                int count = channel.read(target, at);
                if (count < 0) {
                    throw new ProviderException(new ProviderError.Corrupt(
                            file.toString(), "it ends at byte %d, which was written".formatted(at)));
                }
                at += count;
            }
            return at;
        });
    }

    void force(Path file, FileChannel channel) throws ProviderException {
        changed("syncing", file, () -> {
            channel.force(false);
            return true;
        });
    }

    void delete(Path file) throws ProviderException {
        changed("deleting", file, () -> Files.deleteIfExists(file));
    }

    /** A folder of files; its name is gone before they are. */
    void deleteFolder(Path folder) throws ProviderException {
        var gone = folder.resolveSibling("gone-" + folder.getFileName());
        changed("renaming", folder, () -> Files.move(folder, gone, StandardCopyOption.ATOMIC_MOVE));
        sweep(gone);
    }

    void sweep(Path gone) throws ProviderException {
        for (var file : list(gone)) {
            delete(file);
        }
        delete(gone);
    }

    List<Path> list(Path folder) throws ProviderException {
        return done("listing", folder, () -> {
            try (Stream<Path> files = Files.list(folder)) {
                return files.sorted().toList();
            }
        });
    }

    private <T> T changed(String doing, Path file, Work<T> work) throws ProviderException {
        return done(doing, file, () -> {
            beforeChange.run();
            return work.run();
        });
    }

    private static <T> T done(String doing, Path file, Work<T> work) throws ProviderException {
        try {
            return work.run();
        } catch (IOException | UncheckedIOException e) {
            throw new ProviderException(errorOf(doing, file, e), e);
        }
    }

    /** The JDK hands ENOSPC on as the C library's text alone. */
    private static ProviderError errorOf(String doing, Path file, Exception failure) {
        var text = String.valueOf(failure.getMessage());
        return text.contains("No space left on device") || text.contains("Disk quota exceeded")
                ? new ProviderError.OutOfSpace(file.toString(), 0, 0)
                : new ProviderError.Unexpected("%s %s".formatted(doing, file), failure.toString());
    }
}

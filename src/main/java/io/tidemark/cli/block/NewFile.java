package io.tidemark.cli.block;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A file that appears under its name whole and durable, or not at all: written beside it, synced, then renamed. A
 * command that fails or is interrupted removes what it wrote; a power cut may leave {@code .NAME.*.partial} behind,
 * which may be deleted. Only its owner may read it: a delta holds bytes of the image.
 */
final class NewFile implements Output {
    private final Path target;
    private final boolean replace;
    private final Path partial;
    private final FileChannel channel;
    private final Thread removal;

    private NewFile(Path target, boolean replace, HiddenFile file) throws IOException {
        this.target = target;
        this.replace = replace;
        this.partial = file.path();
        this.channel = file.channel();
        this.removal = new Thread(this::remove, "remove-partial-file");
        file.removeAtExit(removal);
    }

    /**
     * @param replace whether a regular file of that name may be replaced
     * @param inputs what must not be replaced even then
     */
    static NewFile create(Path target, boolean replace, Path... inputs) throws IOException, CommandFailure {
        ImageFile.refusePipe(target, "an index begins with what is known at its end: name a file");
        checkMayBeWritten(target, replace, inputs);
        var folder = folderOf(target);
        if (!Files.isDirectory(folder)) {
            throw new CommandFailure(
                    BlockExit.BAD_INPUT,
                    "%s cannot be written: %s is no directory".formatted(target, folder),
                    "make the directory first");
        }
        return new NewFile(target, replace, HiddenFile.create(folder, target, "partial"));
    }

    private static void checkMayBeWritten(Path target, boolean replace, Path... inputs)
            throws IOException, CommandFailure {
        if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (!Files.isRegularFile(target)) {
            throw new CommandFailure(BlockExit.BAD_INPUT, target + " exists and is no regular file", "name a new file");
        }
        for (var input : inputs) {
            if (Files.exists(input) && Files.isSameFile(target, input)) {
                throw new CommandFailure(
                        BlockExit.USAGE, target + " is input and output at once", "name another output file");
            }
        }
        if (!replace) {
            throw alreadyExists(target);
        }
    }

    private static CommandFailure alreadyExists(Path target) {
        return new CommandFailure(
                BlockExit.BAD_INPUT, target + " exists already", "name a new file, or say --force to replace it");
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) throws IOException {
        long at = offsetBytes;
        while (source.hasRemaining()) {
            at += channel.write(source, at);
        }
    }

    /** Makes the file durable and gives it its name. */
    @Override
    public void publish() throws IOException, CommandFailure {
        channel.force(true);
        channel.close();
        if (replace) {
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
        } else {
            linkUnlessExisting();
        }
        syncFolderOf(target);
    }

    /** Makes a name durable that was given, or taken, in the file's folder. */
    static void syncFolderOf(Path file) throws IOException {
        try (var folder = FileChannel.open(folderOf(file), StandardOpenOption.READ)) {
            folder.force(true);
        }
    }

    /** A rename would silently replace a file that appeared meanwhile; a link does not. */
    private void linkUnlessExisting() throws IOException, CommandFailure {
        try {
            Files.createLink(target, partial);
        } catch (FileAlreadyExistsException e) {
            throw alreadyExists(target);
        } catch (UnsupportedOperationException | FileSystemException e) {
            // File systems without hard links: the check is repeated as late as possible.
            if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
                throw alreadyExists(target);
            }
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
        remove();
        try {
            Runtime.getRuntime().removeShutdownHook(removal);
        } catch (IllegalStateException e) {
            // The process is ending: the hook runs, and finds nothing left to do.
            return;
        }
    }

    private void remove() {
        try {
            Files.deleteIfExists(partial);
        } catch (IOException e) {
            System.err.println("tidemark block: %s could not be removed: %s".formatted(partial, e.getMessage()));
        }
    }

    static Path folderOf(Path file) {
        var folder = file.toAbsolutePath().getParent();
        return folder == null ? file.toAbsolutePath() : folder;
    }
}

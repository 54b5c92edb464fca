package io.tidemark.cli.block;

import io.tidemark.block.BlockError;
import io.tidemark.block.BlockException;
import io.tidemark.block.BlockIndex;
import io.tidemark.block.DeltaReader;
import io.tidemark.block.ImageGeometry;
import io.tidemark.blockfile.ChannelImage;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.nativeblock.HostCallException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A regular file or block device, opened for reading, or for a delta to be applied to. */
final class ImageFile extends ChannelImage {
    private static final int FILE_TYPE_MASK = 0xF000;
    private static final int BLOCK_DEVICE = 0x6000;

    /** Written at once where a hole cannot be punched. */
    private static final int ZEROS_BYTES = 1 << 20;

    private static final Set<StandardOpenOption> CREATE_OWNED =
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    private static final FileAttribute<?> OWNER_ONLY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    private final boolean device;
    /** Of the file that is open; empty where the file system has none. */
    private final Optional<Object> key;

    /** Released when it is closed. */
    private @Nullable Closeable lock;

    private @Nullable ByteBuffer zeros;

    private ImageFile(Path path, FileChannel channel, boolean device, Optional<Object> key) {
        super(path, channel);
        this.device = device;
        this.key = key;
    }

    static ImageFile read(Path path) throws IOException, CommandFailure {
        return open(path, Set.of(StandardOpenOption.READ));
    }

    /**
     * As {@link #read}.
     *
     * @throws CommandFailure also for what this program makes of images: compared with one, all of it would differ
     */
    static ImageFile readImage(Path path) throws IOException, CommandFailure {
        var image = read(path);
        image.refuseWhatIsNoImage();
        return image;
    }

    /** Closes it then. */
    void refuseWhatIsNoImage() throws IOException, CommandFailure {
        boolean index = BlockIndex.isIndex(this);
        if (index || DeltaReader.isDelta(this)) {
            close();
            throw new CommandFailure(
                    BlockExit.BAD_INPUT,
                    "%s is %s of tidemark, and no image".formatted(name(), index ? "an index" : "a delta"),
                    "check the order of what is named: see tidemark block --help");
        }
    }

    /** Takes the lock that qemu and others take on images in use, and keeps it until this is closed. */
    static ImageFile write(Path path) throws IOException, CommandFailure {
        var image = open(path, Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE));
        boolean ours = false;
        try {
            image.lock = lock(path, image.channel());
            if (image.lock == null) {
                throw new CommandFailure(
                        BlockExit.BAD_INPUT,
                        path + " is locked by another process",
                        "stop the virtual machine or the other tidemark that uses it");
            }
            // By its name: it must be of the file that was opened.
            image.refuseWhenReplaced();
            ours = true;
            return image;
        } finally {
            if (!ours) {
                image.close();
            }
        }
    }

    /** A dash has always meant a pipe. */
    static boolean isPipe(Path path) {
        return path.toString().equals("-");
    }

    /** It would be a file here. */
    static void refusePipe(Path path, String advice) throws CommandFailure {
        if (isPipe(path)) {
            throw new CommandFailure(
                    BlockExit.USAGE,
                    "- stands for a pipe, which cannot be used here",
                    advice + "; a file of that name is ./-");
        }
    }

    /** Opens a file of ours, made when there is none; only its owner may read it. Its name is durable. */
    static ImageFile journal(Path path) throws IOException, CommandFailure {
        if (!Files.exists(path)) {
            try (var made = FileChannel.open(path, CREATE_OWNED, OWNER_ONLY)) {
                made.force(true);
            }
            NewFile.syncFolderOf(path);
        }
        return write(path);
    }

    /** Without the native library: the JDK's, which is gone as soon as this process reads the file by its name. */
    private static @Nullable Closeable lock(Path path, FileChannel channel) throws IOException {
        var calls = BlockKernels.hostCalls();
        try {
            if (calls.isPresent()) {
                return calls.get().lock(path);
            }
            // Goes with the channel.
            return channel.tryLock() == null ? null : () -> {};
        } catch (OverlappingFileLockException e) {
            // Another thread of this process has it.
            return null;
        } catch (HostCallException e) {
            if (e.errno() == HostCallException.EAGAIN) {
                return null;
            }
            throw e;
        }
    }

    private static ImageFile open(Path path, Set<? extends OpenOption> options) throws IOException, CommandFailure {
        refusePipe(path, "make an index of it with tidemark block index -, and name that, or name a file");
        if (!Files.exists(path)) {
            // Of a folder that this user may not look into nobody says that the file is missing.
            throw Files.notExists(path)
                    ? new NoSuchFileException(path.toString())
                    : new AccessDeniedException(path.toString());
        }
        boolean device = isBlockDevice(path);
        if (!device && !Files.isRegularFile(path)) {
            throw new CommandFailure(
                    BlockExit.BAD_INPUT,
                    "%s is %s".formatted(path, Files.isDirectory(path) ? "a directory" : "no regular file"),
                    "name an image file or a block device");
        }
        var key = key(path);
        var image = new ImageFile(path, FileChannel.open(path, options), device, key);
        image.refuseWhenReplaced();
        if (image.sizeBytes() > ImageGeometry.MAXIMUM_IMAGE_BYTES) {
            long size = image.sizeBytes();
            image.close();
            throw new CommandFailure(
                    BlockExit.BAD_INPUT,
                    "%s has %d bytes, the limit is %d".formatted(path, size, ImageGeometry.MAXIMUM_IMAGE_BYTES),
                    "no volume is that large: check what made the file");
        }
        return image;
    }

    static boolean isBlockDevice(Path path) throws IOException {
        return Files.exists(path)
                && path.getFileSystem().supportedFileAttributeViews().contains("unix")
                && ((Integer) Files.getAttribute(path, "unix:mode") & FILE_TYPE_MASK) == BLOCK_DEVICE;
    }

    /** Device and inode. */
    private static Optional<Object> key(Path path) throws IOException {
        return Optional.ofNullable(
                Files.readAttributes(path, BasicFileAttributes.class).fileKey());
    }

    /**
     * Size and lock are of the file that was opened, what a call read by {@link #path} is of the file of that name then.
     *
     * @param offsetBytes where such a call began to read
     * @throws BlockException ImageChanged when they are not the same
     */
    void checkStillNamed(long offsetBytes) throws IOException, BlockException {
        if (!isStillNamed()) {
            throw new BlockException(new BlockError.ImageChanged(name(), offsetBytes));
        }
    }

    /** Closes it then. */
    private void refuseWhenReplaced() throws IOException, CommandFailure {
        if (!isStillNamed()) {
            close();
            throw new CommandFailure(
                    BlockExit.BAD_INPUT,
                    path() + " was replaced while it was opened",
                    "run this again when nothing renames files there");
        }
    }

    private boolean isStillNamed() throws IOException {
        try {
            return key.equals(key(path()));
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    @Override
    public boolean fixedSize() {
        return device;
    }

    @Override
    public void resize(long sizeBytes) throws IOException {
        if (sizeBytes < channel().size()) {
            channel().truncate(sizeBytes);
        } else if (sizeBytes > channel().size()) {
            channel().write(ByteBuffer.allocate(1), sizeBytes - 1);
        }
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes) throws IOException {
        if (!punched(offsetBytes, lengthBytes)) {
            if (zeros == null) {
                zeros = ByteBuffer.allocateDirect(ZEROS_BYTES);
            }
            for (long at = offsetBytes; at < offsetBytes + lengthBytes; ) {
                zeros.clear().limit((int) Math.min(ZEROS_BYTES, offsetBytes + lengthBytes - at));
                at += zeros.remaining();
                write(at - zeros.remaining(), zeros);
            }
        }
    }

    private boolean punched(long offsetBytes, long lengthBytes) throws IOException {
        var calls = BlockKernels.hostCalls();
        // By its name: what is not the file that was opened, and is locked, is not written.
        if (calls.isEmpty() || !isStillNamed()) {
            return false;
        }
        try {
            calls.get().punchHole(path(), offsetBytes, lengthBytes);
            return true;
        } catch (HostCallException e) {
            // The storage cannot, or not at this alignment: zeros are written instead.
            if (e.errno() == HostCallException.EOPNOTSUPP || e.errno() == HostCallException.EINVAL) {
                return false;
            }
            throw e;
        }
    }

    @Override
    public void close() throws IOException {
        var held = lock;
        lock = null;
        try {
            super.close();
        } finally {
            if (held != null) {
                held.close();
            }
        }
    }

    @Override
    public void flush() throws IOException {
        channel().force(true);
    }
}

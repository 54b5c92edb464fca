package io.tidemark.provider.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Large writes to one image by {@code O_DIRECT}: half the processor's time of a first copy goes into pages of a cache
 * that nobody will read. Only on file systems that then really write past it: Btrfs, which has checksums, takes such
 * writes through the cache one by one (Linux 6.15 and newer). Whoever writes otherwise to the same file sees what was
 * written here, and the kernel keeps the two apart. One thread.
 */
final class PastPageCache implements AutoCloseable {
    /** Below this a write of its own costs more than the copy that it spares. */
    static final int WRITE_BYTES_MINIMUM = 1 << 20;

    private static final Set<String> FILE_SYSTEMS = Set.of("xfs", "ext4");

    /** Offsets, lengths and addresses are multiples of it; file systems of larger blocks are written through the cache. */
    private static final int ALIGNMENT_BYTES = 4 << 10;

    private final Path image;
    private @Nullable FileChannel channel;
    private boolean refused;

    PastPageCache(Path image) {
        this.image = image;
    }

    /**
     * Writes the beginning of {@code source}, as much of it as can be written so, and takes that from it.
     *
     * @return how many bytes; 0 where the write is small or does not lie on {@value #ALIGNMENT_BYTES}, or fails this way
     */
    int write(long offsetBytes, ByteBuffer source) throws IOException {
        if (source.remaining() < WRITE_BYTES_MINIMUM
                || !source.isDirect()
                || offsetBytes % ALIGNMENT_BYTES != 0
                || source.alignmentOffset(source.position(), ALIGNMENT_BYTES) != 0) {
            return 0;
        }
        var open = open();
        int written = 0;
        if (open != null) {
            int end = source.limit();
            int length = source.remaining() / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
            source.limit(source.position() + length);
            // A short write that leaves a part of a page is gone on with by the caller, as what is left at the end is.
            try {
                while (source.hasRemaining() && written % ALIGNMENT_BYTES == 0) {
                    written += open.write(source, offsetBytes + written);
                }
            } catch (IOException e) {
                // What this way cannot do the other may, and if not, it has the better reason.
                refused = true;
                open.close();
                channel = null;
            } finally {
                source.limit(end);
            }
        }
        return written;
    }

    private @Nullable FileChannel open() {
        if (channel == null && !refused) {
            try {
                var direct = direct();
                var store = Files.getFileStore(image);
                boolean fits = FILE_SYSTEMS.contains(store.type()) && store.getBlockSize() <= ALIGNMENT_BYTES;
                if (direct.isPresent() && fits) {
                    channel = FileChannel.open(image, StandardOpenOption.WRITE, direct.get());
                }
            } catch (UnsupportedOperationException | IOException e) {
                channel = null;
            }
            refused = channel == null;
        }
        return channel;
    }

    /** By name: the compiler takes a mention of it for a fault, though the module jdk.unsupported exports it. */
    private static Optional<OpenOption> direct() {
        try {
            for (var option :
                    Class.forName("com.sun.nio.file.ExtendedOpenOption").getEnumConstants()) {
                if (option instanceof OpenOption open && option.toString().equals("DIRECT")) {
                    return Optional.of(open);
                }
            }
            return Optional.empty();
        } catch (ClassNotFoundException e) {
            return Optional.empty();
        }
    }

    @Override
    public void close() throws IOException {
        if (channel != null) {
            channel.close();
        }
    }
}

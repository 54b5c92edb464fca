package io.tidemark.export;

import io.tidemark.export.protocol.Extent;
import io.tidemark.nativeblock.HostCallException;
import io.tidemark.nativeblock.HostCalls;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A file or block device. */
final class FileImage implements ExportImage {
    private static final int ZERO_BYTES = 1 << 20;

    /** What the system says where a file's storage is full; the JDK hands on no number. */
    private static final Set<String> FULL = Set.of("No space left on device", "Disk quota exceeded", "File too large");

    private final Path path;
    private final FileChannel channel;
    private final long sizeBytes;
    private final Optional<HostCalls> host;

    private FileImage(Path path, FileChannel channel, long sizeBytes, Optional<HostCalls> host) {
        this.path = path;
        this.channel = channel;
        this.sizeBytes = sizeBytes;
        this.host = host;
    }

    /** @param host tells where a file has holes and makes them; without it everything is data */
    static FileImage open(Path path, boolean writable, Optional<HostCalls> host) throws IOException {
        var channel = writable
                ? FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)
                : FileChannel.open(path, StandardOpenOption.READ);
        try {
            return new FileImage(path, channel, channel.size(), host);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws IOException {
        long at = offsetBytes;
        while (target.hasRemaining()) {
            int count = channel.read(target, at);
            if (count < 0) {
                throw new EOFException("%s ends at byte %d".formatted(path, at));
            }
            at += count;
        }
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) throws IOException {
        long at = offsetBytes;
        try {
            while (source.hasRemaining()) {
                at += channel.write(source, at);
            }
        } catch (IOException e) {
            throw FULL.contains(e.getMessage()) ? new OutOfSpaceException("%s: %s".formatted(path, e.getMessage())) : e;
        }
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean keepSpace) throws IOException {
        if (!keepSpace && punch(offsetBytes, lengthBytes)) {
            return;
        }
        var zeros = ByteBuffer.allocate((int) Math.min(ZERO_BYTES, lengthBytes));
        for (long done = 0; done < lengthBytes; done += zeros.limit()) {
            zeros.clear().limit((int) Math.min(zeros.capacity(), lengthBytes - done));
            write(offsetBytes + done, zeros);
        }
    }

    /** Makes a hole of the range; false where the host or the file system cannot, and nothing was changed. */
    boolean punch(long offsetBytes, long lengthBytes) throws IOException {
        if (host.isEmpty() || lengthBytes == 0) {
            return lengthBytes == 0;
        }
        try {
            host.get().punchHole(path, offsetBytes, lengthBytes);
            return true;
        } catch (HostCallException e) {
            if (e.errno() == HostCallException.EOPNOTSUPP) {
                return false;
            }
            throw e;
        }
    }

    @Override
    public void flush() throws IOException {
        channel.force(false);
    }

    @Override
    public List<Extent> extents(long offsetBytes, long lengthBytes, int maximum) throws IOException {
        return host.isPresent()
                ? DataRuns.of(host.get(), path, offsetBytes, lengthBytes, maximum)
                : List.of(new Extent(lengthBytes, false));
    }

    @Override
    public Optional<FileChannel> file() {
        return Optional.of(channel);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}

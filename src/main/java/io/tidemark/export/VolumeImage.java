package io.tidemark.export;

import io.tidemark.export.protocol.Extent;
import io.tidemark.nativeblock.HostCalls;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A live volume, written in place; flushed bytes are on its storage. Past its writer where that lets us, else through it,
 * which wants one thread at a time, but for a flush that it may take beside writes.
 */
public final class VolumeImage implements ExportImage {
    private static final int ZERO_BYTES = 1 << 20;

    private final VolumeWriter writer;
    private final @Nullable FileImage file;
    private final ReentrantLock lock = new ReentrantLock();
    /** The first flush that failed: storage tells of bytes that it lost once, and takes them for written ever after. */
    private volatile @Nullable IOException lost;

    private VolumeImage(VolumeWriter writer, @Nullable FileImage file) {
        this.writer = writer;
        this.file = file;
    }

    /** @param writer closed with this, and when this fails */
    public static VolumeImage of(VolumeWriter writer, Optional<HostCalls> host) throws IOException, ProviderException {
        try {
            var path = writer.path();
            return new VolumeImage(writer, path.isPresent() ? FileImage.open(path.get(), true, host) : null);
        } catch (IOException e) {
            writer.close();
            throw e;
        }
    }

    /** One call of the writer. */
    private interface Call {
        void run() throws ProviderException, IOException;
    }

    private void alone(Call call) throws IOException {
        lock.lock();
        try {
            call.run();
        } catch (ProviderException e) {
            throw Failures.of(e);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long sizeBytes() {
        return writer.sizeBytes();
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws IOException {
        if (file != null) {
            file.read(offsetBytes, target);
        } else {
            alone(() -> writer.read(offsetBytes, target));
        }
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) throws IOException {
        refuseAfterLoss();
        if (file != null) {
            file.write(offsetBytes, source);
        } else {
            alone(() -> writer.write(offsetBytes, source));
        }
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean keepSpace) throws IOException {
        refuseAfterLoss();
        if (file != null) {
            file.writeZeroes(offsetBytes, lengthBytes, keepSpace);
            return;
        }
        if (!keepSpace) {
            if (lengthBytes > 0) {
                alone(() -> writer.writeZeroes(new BlockRange(offsetBytes, lengthBytes)));
            }
            return;
        }
        var zeros = ByteBuffer.allocate((int) Math.min(ZERO_BYTES, lengthBytes));
        for (long done = 0; done < lengthBytes; done += zeros.limit()) {
            zeros.clear().limit((int) Math.min(zeros.capacity(), lengthBytes - done));
            write(offsetBytes + done, zeros);
        }
    }

    /** @throws IOException for good once it has failed, as later writes do: what was written before may be lost */
    @Override
    public void flush() throws IOException {
        if (!writer.flushesBesideWrites()) {
            alone(this::flushWriter);
            return;
        }
        try {
            flushWriter();
        } catch (ProviderException e) {
            throw Failures.of(e);
        }
    }

    private void flushWriter() throws ProviderException, IOException {
        refuseAfterLoss();
        try {
            writer.flush();
        } catch (ProviderException e) {
            lost = Failures.of(e);
            throw e;
        }
    }

    private void refuseAfterLoss() throws IOException {
        var earlier = lost;
        if (earlier != null) {
            throw new IOException("an earlier flush failed: " + earlier.getMessage(), earlier);
        }
    }

    @Override
    public List<Extent> extents(long offsetBytes, long lengthBytes, int maximum) throws IOException {
        return file != null ? file.extents(offsetBytes, lengthBytes, maximum) : List.of(new Extent(lengthBytes, false));
    }

    @Override
    public Optional<FileChannel> file() {
        return file != null ? file.file() : Optional.empty();
    }

    @Override
    public void close() throws IOException {
        // The file first: the writer keeps others off the volume for as long as anybody can write here.
        try {
            if (file != null) {
                file.close();
            }
        } finally {
            alone(writer::close);
        }
    }
}

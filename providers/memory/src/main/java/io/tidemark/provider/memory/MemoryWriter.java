package io.tidemark.provider.memory;

import io.tidemark.provider.memory.MemoryStorage.VolumeBytes;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.nio.ByteBuffer;

/** Writes to a volume; after a crash of the storage it writes nothing more. */
final class MemoryWriter implements VolumeWriter {
    private final VolumeId volume;
    private final MemoryStorage storage;
    private final VolumeBytes bytes;

    MemoryWriter(VolumeId volume, MemoryStorage storage, VolumeBytes bytes) {
        this.volume = volume;
        this.storage = storage;
        this.bytes = bytes;
    }

    @Override
    public long sizeBytes() {
        synchronized (storage) {
            return bytes.current.sizeBytes();
        }
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) throws ProviderException {
        synchronized (storage) {
            checkOpen();
            MemoryReader.checkRange(offsetBytes, source.remaining(), bytes.current.sizeBytes());
            bytes.current.write(offsetBytes, source);
        }
    }

    @Override
    public void writeZeroes(BlockRange range) throws ProviderException {
        synchronized (storage) {
            checkOpen();
            MemoryReader.checkRange(range.offsetBytes(), range.lengthBytes(), bytes.current.sizeBytes());
            bytes.current.zero(range.offsetBytes(), range.lengthBytes());
        }
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
        synchronized (storage) {
            checkOpen();
            MemoryReader.checkRange(offsetBytes, target.remaining(), bytes.current.sizeBytes());
            bytes.current.read(offsetBytes, target);
        }
    }

    @Override
    public void flush() throws ProviderException {
        synchronized (storage) {
            checkOpen();
            bytes.durable = bytes.current.copy();
        }
    }

    @Override
    public void close() {
        synchronized (storage) {
            if (bytes.writer == this) {
                bytes.writer = null;
            }
        }
    }

    private void checkOpen() throws ProviderException {
        if (bytes.writer != this) {
            throw new ProviderException(new ProviderError.Unexpected("write to " + volume, "the writer is closed"));
        }
    }
}

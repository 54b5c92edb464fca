package io.tidemark.export;

import io.tidemark.agent.Providers;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeWriter;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** A provider of one file: its volume is the file, and so is each of the volume's snapshots. */
final class FileProvider {
    /** How often volumes were made durable. */
    static final AtomicInteger FLUSHES = new AtomicInteger();

    private FileProvider() {}

    /** @param named whether the file's path is told, so that it can be used past the provider */
    static Providers of(Path file, boolean named) {
        var provider = (StorageProvider) Proxy.newProxyInstance(
                FileProvider.class.getClassLoader(),
                new Class<?>[] {StorageProvider.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "name" -> "file";
                    case "read" -> new Reader(FileChannel.open(file), file, named);
                    case "write" ->
                        new Writer(
                                FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE), file, named);
                    default -> throw new AssertionError(method);
                });
        return new Providers(List.of(provider));
    }

    private static ProviderException failed(IOException e) {
        return new ProviderException(new ProviderError.Unexpected("file", String.valueOf(e.getMessage())), e);
    }

    private static void fill(FileChannel channel, long offsetBytes, ByteBuffer target) throws ProviderException {
        try {
            long at = offsetBytes;
            while (target.hasRemaining()) {
                int count = channel.read(target, at);
                if (count < 0) {
                    throw new IOException("the file ends at " + at);
                }
                at += count;
            }
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private static long size(FileChannel channel) {
        try {
            return channel.size();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private record Reader(FileChannel channel, Path file, boolean named) implements SnapshotReader {
        @Override
        public long sizeBytes() {
            return size(channel);
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
            fill(channel, offsetBytes, target);
        }

        @Override
        public Optional<Path> path() {
            return named ? Optional.of(file) : Optional.empty();
        }

        @Override
        public void close() throws ProviderException {
            try {
                channel.close();
            } catch (IOException e) {
                throw failed(e);
            }
        }
    }

    private record Writer(FileChannel channel, Path file, boolean named) implements VolumeWriter {
        @Override
        public long sizeBytes() {
            return size(channel);
        }

        @Override
        public void write(long offsetBytes, ByteBuffer source) throws ProviderException {
            try {
                long at = offsetBytes;
                while (source.hasRemaining()) {
                    at += channel.write(source, at);
                }
            } catch (IOException e) {
                throw failed(e);
            }
        }

        @Override
        public void writeZeroes(BlockRange range) throws ProviderException {
            write(range.offsetBytes(), ByteBuffer.allocate(Math.toIntExact(range.lengthBytes())));
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
            fill(channel, offsetBytes, target);
        }

        @Override
        public void flush() throws ProviderException {
            try {
                channel.force(true);
                FLUSHES.incrementAndGet();
            } catch (IOException e) {
                throw failed(e);
            }
        }

        @Override
        public Optional<Path> path() {
            return named ? Optional.of(file) : Optional.empty();
        }

        @Override
        public void close() throws ProviderException {
            try {
                channel.close();
            } catch (IOException e) {
                throw failed(e);
            }
        }
    }
}

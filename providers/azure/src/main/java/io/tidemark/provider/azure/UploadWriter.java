package io.tidemark.provider.azure;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.Set;

/**
 * Writes the pages of a disk that is uploaded to. What follows each other is kept until it is {@value
 * BlobCalls#CHUNK_BYTES} bytes and sent as one; a page of 512 bytes that is written in part is read first. Closing it
 * sends what is kept, and leaves the signature: ending that would end the upload. One thread; memory: that one chunk.
 */
final class UploadWriter implements VolumeWriter {
    private static final int PAGE = 512;
    private static final int RENEWALS_MAXIMUM = 3;

    private final VolumeId id;
    private final CloudDisk disk;
    private final AccessCalls access;
    private final BlobCalls calls;
    private final Set<String> flushed;
    private final Runnable onClose;
    private final byte[] kept = new byte[BlobCalls.CHUNK_BYTES];
    private long keptFrom;
    private int keptBytes;
    private URI address;
    private boolean closed;

    /** @param flushed lacks the disk's id from a write on until the flush after it */
    UploadWriter(
            VolumeId id, CloudDisk disk, AccessCalls access, BlobCalls calls, Set<String> flushed, Runnable onClose)
            throws ProviderException {
        this.id = id;
        this.disk = disk;
        this.access = access;
        this.calls = calls;
        this.flushed = flushed;
        this.onClose = onClose;
        address = access.grant(disk);
    }

    @Override
    public long sizeBytes() {
        return disk.sizeBytes();
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) throws ProviderException {
        check(offsetBytes, source.remaining());
        flushed.remove(disk.id());
        long at = offsetBytes;
        while (source.hasRemaining()) {
            if (keptBytes > 0 && keptFrom + keptBytes != at) {
                send();
            }
            if (keptBytes == 0) {
                begin(at);
            }
            int length = Math.min(kept.length - keptBytes, source.remaining());
            source.get(kept, keptBytes, length);
            keptBytes += length;
            at += length;
            if (keptBytes == kept.length) {
                send();
            }
        }
    }

    /** What is kept begins where a page does. */
    private void begin(long at) throws ProviderException {
        int before = Math.toIntExact(at % PAGE);
        keptFrom = at - before;
        if (before > 0) {
            System.arraycopy(fetched(keptFrom, PAGE), 0, kept, 0, before);
            keptBytes = before;
        }
    }

    private void send() throws ProviderException {
        if (keptBytes == 0) {
            return;
        }
        int after = Math.floorMod(-keptBytes, PAGE);
        if (after > 0) {
            var last = fetched(keptFrom + keptBytes + after - PAGE, PAGE);
            System.arraycopy(last, PAGE - after, kept, keptBytes, after);
            keptBytes += after;
        }
        var bytes = java.util.Arrays.copyOf(kept, keptBytes);
        opened(signed -> {
            calls.put(signed, keptFrom, bytes);
            return bytes;
        });
        keptBytes = 0;
    }

    @Override
    public void writeZeroes(BlockRange range) throws ProviderException {
        check(range.offsetBytes(), range.lengthBytes());
        flushed.remove(disk.id());
        send();
        long from = (range.offsetBytes() + PAGE - 1) / PAGE * PAGE;
        long to = range.endBytes() / PAGE * PAGE;
        if (from >= to) {
            write(range.offsetBytes(), ByteBuffer.allocate(Math.toIntExact(range.lengthBytes())));
            return;
        }
        opened(signed -> {
            calls.clear(signed, from, to - from);
            return new byte[0];
        });
        write(range.offsetBytes(), ByteBuffer.allocate(Math.toIntExact(from - range.offsetBytes())));
        send();
        write(to, ByteBuffer.allocate(Math.toIntExact(range.endBytes() - to)));
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
        check(offsetBytes, target.remaining());
        send();
        long at = offsetBytes;
        while (target.hasRemaining()) {
            int length = Math.min(BlobCalls.CHUNK_BYTES, target.remaining());
            target.put(fetched(at, length));
            at += length;
        }
    }

    private byte[] fetched(long offsetBytes, int length) throws ProviderException {
        return opened(signed -> calls.bytes(signed, offsetBytes, length));
    }

    private interface Call {
        byte[] by(URI signed) throws ProviderException, BlobCalls.Refused;
    }

    private byte[] opened(Call call) throws ProviderException {
        for (int renewals = 0; ; renewals++) {
            try {
                return call.by(address);
            } catch (BlobCalls.Refused e) {
                if (renewals == RENEWALS_MAXIMUM) {
                    throw new ProviderException(
                            new ProviderError.Denied(id.toString(), "a signature that Azure does not refuse"), e);
                }
                address = access.grant(disk);
            }
        }
    }

    /** A page that Azure has answered for is durable. */
    @Override
    public void flush() throws ProviderException {
        refuseClosed();
        send();
        flushed.add(disk.id());
    }

    private void check(long offsetBytes, long length) throws ProviderException {
        refuseClosed();
        if (offsetBytes < 0 || length < 0 || offsetBytes > disk.sizeBytes() - length) {
            throw new IllegalArgumentException(
                    "range leaves %s: offset %d, length %d".formatted(id, offsetBytes, length));
        }
    }

    private void refuseClosed() throws ProviderException {
        if (closed) {
            throw new ProviderException(new ProviderError.Conflict(id.toString(), "its writer is closed"));
        }
    }

    @Override
    public void close() throws ProviderException {
        if (closed) {
            return;
        }
        try {
            send();
        } finally {
            closed = true;
            onClose.run();
        }
    }
}

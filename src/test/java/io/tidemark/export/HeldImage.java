package io.tidemark.export;

import io.tidemark.export.protocol.Extent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Slow storage in memory whose requests end when the test lets them; what was begun is told in its order. */
final class HeldImage implements ExportImage {
    private final byte[] bytes;
    private final List<String> begun = new ArrayList<>();
    private int held;
    private boolean holding = true;
    private boolean closed;

    HeldImage(int sizeBytes) {
        this.bytes = new byte[sizeBytes];
    }

    private synchronized void hold(String what) throws IOException {
        begun.add(what);
        held++;
        notifyAll();
        try {
            while (holding) {
                wait();
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        } finally {
            held--;
        }
    }

    synchronized List<String> begun() {
        return List.copyOf(begun);
    }

    synchronized int held() {
        return held;
    }

    synchronized void letGo() {
        holding = false;
        notifyAll();
    }

    synchronized boolean closed() {
        return closed;
    }

    @Override
    public long sizeBytes() {
        return bytes.length;
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws IOException {
        hold("read " + offsetBytes);
        target.put(bytes, (int) offsetBytes, target.remaining());
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) throws IOException {
        hold("write " + offsetBytes);
        source.get(bytes, (int) offsetBytes, source.remaining());
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean keepSpace) throws IOException {
        hold("zeroes " + offsetBytes);
    }

    @Override
    public void flush() {
        // Nothing to keep.
    }

    @Override
    public List<Extent> extents(long offsetBytes, long lengthBytes, int maximum) {
        return List.of(new Extent(lengthBytes, false));
    }

    @Override
    public Optional<FileChannel> file() {
        return Optional.empty();
    }

    @Override
    public boolean slow() {
        return true;
    }

    @Override
    public synchronized void close() {
        closed = true;
    }
}

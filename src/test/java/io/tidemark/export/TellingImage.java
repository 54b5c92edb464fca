package io.tidemark.export;

import io.tidemark.export.protocol.Extent;
import io.tidemark.export.protocol.Request;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Storage in memory that tells of ends within {@link #begin}, or when the test lets it. */
final class TellingImage implements PipelinedImage {
    private final byte[] bytes;
    private final List<List<String>> begun = new ArrayList<>();
    private final List<Runnable> held = new ArrayList<>();
    private boolean isHolding;
    private boolean isFailing;
    private boolean isClosed;

    TellingImage(int sizeBytes) {
        bytes = new byte[sizeBytes];
    }

    @Override
    public boolean isPipelined() {
        return true;
    }

    @Override
    public synchronized void begin(List<? extends Call> calls, Runnable told) {
        begun.add(calls.stream()
                .map(call -> call.request().type() + " " + call.request().offsetBytes())
                .toList());
        for (var call : calls) {
            if (isHolding && call.request().type() != Request.FLUSH) {
                held.add(() -> {
                    end(call);
                    told.run();
                });
            } else {
                end(call);
            }
        }
        if (isFailing) {
            throw new IllegalStateException("it was told to fail");
        }
        told.run();
    }

    /** The next requests are taken, and then it fails. */
    synchronized void failNext() {
        isFailing = true;
    }

    private void end(Call call) {
        var request = call.request();
        int offset = (int) request.offsetBytes();
        switch (request.type()) {
            case Request.WRITE -> {
                if (call.payload().get(0) < 0) {
                    call.failed(new IOException("it does not take negative bytes"));
                    return;
                }
                call.payload().get(bytes, offset, (int) request.lengthBytes());
                call.done(ByteBuffer.allocate(0));
            }
            case Request.READ ->
                call.done(ByteBuffer.wrap(bytes.clone(), offset, (int) request.lengthBytes())
                        .slice());
            default -> call.done(ByteBuffer.allocate(0));
        }
    }

    synchronized void hold() {
        isHolding = true;
    }

    /** By the caller's thread, in the order in which they came. */
    synchronized void letGo() {
        isHolding = false;
        held.forEach(Runnable::run);
        held.clear();
    }

    synchronized List<List<String>> begun() {
        return List.copyOf(begun);
    }

    synchronized int heldCount() {
        return held.size();
    }

    synchronized boolean isClosed() {
        return isClosed;
    }

    @Override
    public long sizeBytes() {
        return bytes.length;
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) {
        throw new UnsupportedOperationException("reads are begun");
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) {
        throw new UnsupportedOperationException("writes are begun");
    }

    @Override
    public synchronized void writeZeroes(long offsetBytes, long lengthBytes, boolean keepSpace) {
        Arrays.fill(bytes, (int) offsetBytes, (int) (offsetBytes + lengthBytes), (byte) 0);
    }

    @Override
    public void flush() {}

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
        isClosed = true;
    }
}

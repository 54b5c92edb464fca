package io.tidemark.live;

import io.tidemark.export.PipelinedImage;
import io.tidemark.export.protocol.Extent;
import io.tidemark.export.protocol.Request;
import io.tidemark.replication.live.Bytes;
import io.tidemark.replication.live.LiveEvent;
import io.tidemark.replication.live.LiveWire;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A live volume whose copy here is primary, for clients of its export. It outlives its export: closing this ends nothing. */
final class LiveImage implements PipelinedImage {
    /** Zeros go over the line as their length, but each part is one write of the core. */
    private static final int ZEROS_MAXIMUM = 4 << 20;

    /** That take their space. */
    private static final Bytes KEPT_ZEROS = Bytes.of(ByteBuffer.allocate(LiveWire.DATA_MAXIMUM));

    private final LiveVolume volume;

    LiveImage(LiveVolume volume) {
        this.volume = volume;
    }

    @Override
    public long sizeBytes() {
        return volume.sizeBytes();
    }

    @Override
    public boolean isPipelined() {
        return !volume.disk().slow();
    }

    @Override
    public void begin(List<? extends Call> calls, Runnable told) {
        var asked = new ArrayList<LiveVolume.Ask>();
        for (var call : calls) {
            if (call.request().type() == Request.FLUSH) {
                asked.add(new LiveVolume.Ask(LiveEvent.Flush::new, new CallParts(call, 1, told, Optional.empty())));
            } else {
                ask(call, told, asked);
            }
        }
        volume.begin(asked);
    }

    /** Parts as long as one message's data. */
    private static void ask(Call call, Runnable told, List<LiveVolume.Ask> asked) {
        var request = call.request();
        int length = (int) request.lengthBytes();
        int count = Math.ceilDiv(length, LiveWire.DATA_MAXIMUM);
        boolean isWrite = request.type() == Request.WRITE;
        var whole = isWrite || count == 1 ? Optional.<ByteBuffer>empty() : Optional.of(ByteBuffer.allocate(length));
        var parts = new CallParts(call, count, told, whole);
        var data = isWrite ? Bytes.of(call.payload()) : Bytes.zeros(0);
        for (int from = 0; from < length; from += LiveWire.DATA_MAXIMUM) {
            int part = Math.min(LiveWire.DATA_MAXIMUM, length - from);
            long at = request.offsetBytes() + from;
            if (isWrite) {
                var bytes = count == 1 ? data : data.slice(from, part);
                asked.add(new LiveVolume.Ask(
                        number -> new LiveEvent.Write(number, at, part, bytes, request.forceUnitAccess()), parts));
            } else {
                asked.add(new LiveVolume.Ask(
                        number -> new LiveEvent.Read(number, at, part), count == 1 ? parts : parts.of(from, part)));
            }
        }
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws IOException {
        while (target.hasRemaining()) {
            int length = Math.min(target.remaining(), LiveWire.DATA_MAXIMUM);
            target.put(CallParts.buffer(volume.read(offsetBytes, length)));
            offsetBytes += length;
        }
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) throws IOException {
        volume.write(offsetBytes, Bytes.of(source), LiveWire.DATA_MAXIMUM);
        source.position(source.limit());
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean keepSpace) throws IOException {
        int most = keepSpace ? LiveWire.DATA_MAXIMUM : ZEROS_MAXIMUM;
        for (long done = 0; done < lengthBytes; done += most) {
            int length = (int) Math.min(most, lengthBytes - done);
            var zeros = keepSpace ? KEPT_ZEROS.slice(0, length) : Bytes.zeros(length);
            volume.write(offsetBytes + done, zeros, LiveWire.DATA_MAXIMUM);
        }
    }

    @Override
    public void flush() throws IOException {
        volume.flush();
    }

    @Override
    public List<Extent> extents(long offsetBytes, long lengthBytes, int maximum) throws IOException {
        return volume.disk().extents(offsetBytes, lengthBytes, maximum);
    }

    /** None: every byte goes through the copy. */
    @Override
    public Optional<FileChannel> file() {
        return Optional.empty();
    }

    /** A request may wait for the peer. */
    @Override
    public boolean slow() {
        return true;
    }

    @Override
    public void close() {}
}

package io.tidemark.transport;

import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.protocol.FrameCodec;
import io.tidemark.replication.protocol.FrameHeader;
import io.tidemark.replication.protocol.Message;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.TimeoutException;

/**
 * Frames over TLS. A frame is decrypted into one buffer and read there; whoever keeps a message takes that buffer along
 * and the next frame gets another. Holds under 2 MiB except while a recovery point's evidence passes.
 */
final class SocketPeerConnection implements PeerConnection {
    /** How long {@link #finish} waits for the peer to take the last frame. */
    private static final Duration FINISH = Duration.ofSeconds(2);

    /** What an unknown peer may make us hold: the frames of a pairing fit twice. */
    private static final int UNKNOWN_PAYLOAD_BYTES = 4 << 10;

    private final TlsChannel tls;
    private final FrameBuffers.Share buffers;
    private final ZstdCompression compression = new ZstdCompression();
    private final FrameCodec codec = new FrameCodec(compression);
    private final SilenceWatch watch;
    private final String fingerprint;
    private final String address;
    private ByteBuffer frame = FrameBuffers.allocate();
    /** Bytes at the start of {@link #frame} that the last message took. */
    private int consumedBytes;

    private boolean lastCompressed;
    /** Of the blocks sent last, and how long the line, or the rate that stands for one, took for them. */
    private long blocksBytes;

    private long blocksNanos;
    private volatile int payloadBytesMaximum = UNKNOWN_PAYLOAD_BYTES;
    private volatile long sentBytes;

    /** @param tls after its handshake */
    SocketPeerConnection(TlsChannel tls, String fingerprint, Duration idle, FrameBuffers buffers) throws IOException {
        this.tls = tls;
        this.buffers = buffers.share();
        this.fingerprint = fingerprint;
        this.address = String.valueOf(tls.peerAddress()).replaceFirst("^.*/", "");
        this.watch = new SilenceWatch(idle, tls);
    }

    /** Called once the peer's key is known to be pinned. */
    void trust() {
        payloadBytesMaximum = Integer.MAX_VALUE;
    }

    @Override
    public String peerFingerprint() {
        return fingerprint;
    }

    @Override
    public String peerAddress() {
        return address;
    }

    @Override
    public void send(Message message) throws ReplicationException {
        try {
            if (message instanceof Message.Blocks) {
                // Not sooner: how long its rate held it back is known only now.
                compression.sent(blocksBytes, blocksNanos);
            }
            var parts = codec.encodeParts(message);
            long bytes = 0;
            for (var part : parts) {
                bytes += part.remaining();
            }
            long start = System.nanoTime();
            tls.write(parts);
            long took = System.nanoTime() - start;
            if (message instanceof Message.Blocks) {
                blocksBytes = bytes;
                blocksNanos = took;
            } else {
                compression.sent(bytes, took);
            }
            long sent = sentBytes;
            sentBytes = sent + bytes;
        } catch (IOException e) {
            throw lost(e);
        }
    }

    @Override
    public void paced(long nanos) {
        blocksNanos += nanos;
    }

    @Override
    public Message receive() throws ReplicationException {
        try (var waiting = watch.begin()) {
            frame.limit(frame.position()).position(consumedBytes).compact();
            consumedBytes = 0;
            tls.fill(frame, FrameHeader.BYTES);
            var header = FrameHeader.parse(frame.slice(0, FrameHeader.BYTES));
            if (header.lengthBytes() > payloadBytesMaximum) {
                throw new ReplicationException(new ReplicationError.CorruptFrame(
                        "%s frame of %d bytes from an unknown peer".formatted(header.type(), header.lengthBytes())));
            }
            int frameBytes = FrameHeader.BYTES + header.lengthBytes();
            resize(frameBytes);
            tls.fill(frame, frameBytes);
            consumedBytes = frameBytes;
            lastCompressed = header.compressed();
            return codec.decode(header, frame.slice(FrameHeader.BYTES, header.lengthBytes()));
        } catch (IOException e) {
            throw lost(e);
        }
    }

    /** Evidence and checksum trees come in larger frames than blocks; their buffer is not kept for long. */
    private void resize(int frameBytes) {
        int needed = Math.max(FrameBuffers.BUFFER_BYTES, frameBytes + TlsChannel.RECORD_BYTES);
        if (frame.capacity() != needed && (frame.capacity() < needed || frame.position() <= needed)) {
            frame = ByteBuffer.allocateDirect(needed).put(frame.flip());
        }
    }

    @Override
    public Kept keep() throws ReplicationException {
        ByteBuffer fresh;
        try {
            fresh = buffers.take(FrameBuffers.WAIT_MAXIMUM);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ReplicationException(new ReplicationError.ConnectionLost(address, "interrupted"), e);
        } catch (TimeoutException e) {
            String reason = watch.silent().orElse(String.valueOf(e.getMessage()));
            throw new ReplicationException(new ReplicationError.ConnectionLost(address, reason), e);
        }
        ByteBuffer kept;
        if (lastCompressed) {
            kept = codec.exchangeUnpacked(fresh);
        } else {
            kept = frame;
            int ahead = kept.position() - consumedBytes;
            frame = fresh.clear().put(0, kept, consumedBytes, ahead).position(ahead);
            consumedBytes = 0;
        }
        return () -> buffers.give(kept);
    }

    @Override
    public long sentBytes() {
        return sentBytes;
    }

    @Override
    public void finish() {
        try (var deadline = new Deadline(FINISH, this)) {
            tls.shutdownOutput();
            // What still comes is of no use: the peer has not read yet that it may stop.
            while (true) {
                frame.clear();
                tls.fill(frame, 1);
            }
        } catch (IOException e) {
            // The peer has read all and went, or did so before: it has what it wanted.
            close();
        }
    }

    @Override
    public void sentAll() throws ReplicationException {
        try {
            tls.shutdownOutput();
        } catch (IOException e) {
            throw lost(e);
        }
    }

    @Override
    public void close() {
        watch.close();
        buffers.close();
        tls.close();
    }

    private ReplicationException lost(IOException e) {
        String reason = watch.silent().orElseGet(() -> e.getMessage() == null ? "closed here" : e.getMessage());
        return new ReplicationException(new ReplicationError.ConnectionLost(address, reason), e);
    }
}

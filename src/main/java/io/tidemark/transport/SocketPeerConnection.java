package io.tidemark.transport;

import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.protocol.FrameCodec;
import io.tidemark.replication.protocol.FrameHeader;
import io.tidemark.replication.protocol.Message;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import javax.net.ssl.SSLSocket;

/**
 * Frames over TLS over TCP, with blocking streams. What bounds it is the JDK's TLS: 1.2 GB/s a core measured over
 * loopback. Holds under 2 MiB except while a recovery point's evidence passes.
 */
final class SocketPeerConnection implements PeerConnection {
    /** One TLS record is 16 KiB; several at once save system calls. */
    private static final int READ_AHEAD_BYTES = 128 << 10;

    private static final int KEPT_BUFFER_BYTES = 512 << 10;

    /** How long {@link #finish} waits for the peer to take the last frame. */
    private static final Duration FINISH = Duration.ofSeconds(2);

    /** What an unknown peer may make us hold: the frames of a pairing fit twice. */
    private static final int UNKNOWN_PAYLOAD_BYTES = 4 << 10;

    private final Socket raw;
    private final SSLSocket tls;
    private final InputStream in;
    private final OutputStream out;
    private final FrameCodec codec = new FrameCodec(new ZstdCompression());
    private final String fingerprint;
    private final String address;
    private final byte[] header = new byte[FrameHeader.BYTES];
    private byte[] payload = new byte[0];
    private volatile int payloadBytesMaximum = UNKNOWN_PAYLOAD_BYTES;
    private volatile long sentBytes;

    /** @param raw the socket that {@code tls} runs over: closing it never waits */
    SocketPeerConnection(Socket raw, SSLSocket tls, String fingerprint, Duration idle) throws IOException {
        this.raw = raw;
        this.tls = tls;
        this.in = new BufferedInputStream(tls.getInputStream(), READ_AHEAD_BYTES);
        this.out = tls.getOutputStream();
        this.fingerprint = fingerprint;
        this.address = String.valueOf(raw.getRemoteSocketAddress()).replaceFirst("^.*/", "");
        raw.setSoTimeout(Math.toIntExact(idle.toMillis()));
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
        var frame = codec.encode(message);
        try {
            out.write(frame.array(), frame.arrayOffset() + frame.position(), frame.remaining());
            long sent = sentBytes;
            sentBytes = sent + frame.remaining();
        } catch (IOException e) {
            throw lost(e);
        }
    }

    @Override
    public Message receive() throws ReplicationException {
        try {
            fill(header, header.length);
            var parsed = FrameHeader.parse(ByteBuffer.wrap(header));
            if (parsed.lengthBytes() > payloadBytesMaximum) {
                throw new ReplicationException(new ReplicationError.CorruptFrame(
                        "%s frame of %d bytes from an unknown peer".formatted(parsed.type(), parsed.lengthBytes())));
            }
            if (payload.length < parsed.lengthBytes()
                    || (payload.length > KEPT_BUFFER_BYTES && parsed.lengthBytes() <= KEPT_BUFFER_BYTES)) {
                payload = new byte[parsed.lengthBytes()];
            }
            fill(payload, parsed.lengthBytes());
            return codec.decode(
                    parsed, ByteBuffer.wrap(payload, 0, parsed.lengthBytes()).slice());
        } catch (SocketTimeoutException e) {
            throw new ReplicationException(
                    new ReplicationError.ConnectionLost(address, "silent for %d ms".formatted(soTimeout())), e);
        } catch (IOException e) {
            throw lost(e);
        }
    }

    @Override
    public long sentBytes() {
        return sentBytes;
    }

    @Override
    public void finish() {
        try {
            tls.shutdownOutput();
            raw.setSoTimeout(Math.toIntExact(FINISH.toMillis()));
            long until = System.nanoTime() + FINISH.toNanos();
            // What still comes is of no use: the peer has not read yet that it may stop.
            byte[] unread = new byte[READ_AHEAD_BYTES];
            int read = 0;
            while (read >= 0 && System.nanoTime() < until) {
                read = in.read(unread);
            }
        } catch (IOException e) {
            // The peer went first; it has what it wanted.
            close();
        }
    }

    @Override
    public void close() {
        try {
            raw.close();
        } catch (IOException e) {
            // A socket that cannot be closed is closed.
            return;
        }
    }

    private int soTimeout() {
        try {
            return raw.getSoTimeout();
        } catch (IOException e) {
            return 0;
        }
    }

    private void fill(byte[] into, int length) throws IOException {
        int read = in.readNBytes(into, 0, length);
        if (read < length) {
            throw new EOFException("peer ended the connection");
        }
    }

    private ReplicationException lost(IOException e) {
        return new ReplicationException(
                new ReplicationError.ConnectionLost(address, String.valueOf(e.getMessage())), e);
    }
}

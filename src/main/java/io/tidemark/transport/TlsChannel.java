package io.tidemark.transport;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.security.cert.Certificate;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;

/**
 * TLS over a blocking socket: one thread writes while another reads. All buffers are direct and live as long as the
 * connection, so that a stream allocates nothing that grows with it but the engine's answers: two for each frame that
 * is sent, and one or two for each read of the socket.
 *
 * <p>A connection holds {@value #NETWORK_BYTES} bytes for each direction.
 */
final class TlsChannel implements AutoCloseable {
    /** Ciphertext for each system call: 16 records. Twice as much gains nothing, half of it costs a tenth. */
    private static final int NETWORK_BYTES = 288 << 10;

    /** Most plaintext in one TLS record (RFC 8446, 5.1). Who reads must have room for one more than it needs. */
    static final int RECORD_BYTES = 16 << 10;

    /** A frame of blocks has 16; twice as many would not fit into {@link #NETWORK_BYTES}. */
    private static final int RECORDS_AT_ONCE = 16;

    /** Between looks at whether somebody else has sent what keeps this side from reading on. */
    private static final long PAUSE_NANOS = 1_000_000;

    private static final ByteBuffer[] NOTHING = {ByteBuffer.allocateDirect(0)};

    private final SocketChannel socket;
    private final SSLEngine engine;
    private final int packetBytes;
    private final ByteBuffer incoming = ByteBuffer.allocateDirect(NETWORK_BYTES).flip();
    private final ByteBuffer outgoing = ByteBuffer.allocateDirect(NETWORK_BYTES);
    /** What the peer said so soon that it came with the end of its handshake. */
    private final ByteBuffer early = ByteBuffer.allocateDirect(4 * RECORD_BYTES);

    /** One buffer several times: BoringSSL makes one record of each, all in one call. */
    private final ByteBuffer[] records;

    private final ReentrantLock writing = new ReentrantLock();
    private final Object gate = new Object();
    private int inside;
    private boolean closed;
    private boolean freed;

    /** Owns the socket from the call on, and the engine from its making on: a channel that fails leaves neither open. */
    static TlsChannel over(SocketChannel socket, Supplier<SSLEngine> engines) throws IOException {
        SSLEngine engine = null;
        TlsChannel made = null;
        try {
            engine = engines.get();
            made = new TlsChannel(socket, engine);
            return made;
        } finally {
            if (made == null) {
                if (engine != null) {
                    PinnedTls.free(engine);
                }
                socket.close();
            }
        }
    }

    private TlsChannel(SocketChannel socket, SSLEngine engine) {
        this.socket = socket;
        this.engine = engine;
        this.packetBytes = engine.getSession().getPacketBufferSize();
        this.records = new ByteBuffer[PinnedTls.takesRecords(engine) ? RECORDS_AT_ONCE : 1];
    }

    SocketAddress peerAddress() throws IOException {
        return socket.getRemoteAddress();
    }

    /** Returns once both sides have proven their keys. */
    Certificate handshake() throws IOException {
        enter();
        try {
            engine.beginHandshake();
            var status = engine.getHandshakeStatus();
            while (status != HandshakeStatus.FINISHED && status != HandshakeStatus.NOT_HANDSHAKING) {
                status = switch (status) {
                    case NEED_TASK -> {
                        runTasks();
                        yield engine.getHandshakeStatus();
                    }
                    case NEED_WRAP -> wrapNothing();
                    case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
                        var result = unwrap(early);
                        // What was taken in before a task can be enough to go on, and even to finish.
                        if (underflow(result) && result.getHandshakeStatus() == HandshakeStatus.NEED_UNWRAP) {
                            receive();
                        }
                        yield result.getHandshakeStatus();
                    }
                    case FINISHED, NOT_HANDSHAKING -> throw new AssertionError("the loop has ended");
                };
            }
            early.flip();
            return engine.getSession().getPeerCertificates()[0];
        } finally {
            leave();
        }
    }

    /**
     * Decrypts into the buffer until its position is at {@code needBytes} or behind it, by at most a record.
     *
     * @param into its capacity has {@link #RECORD_BYTES} more than what is needed
     * @throws EOFException when the peer ended the connection first
     */
    void fill(ByteBuffer into, int needBytes) throws IOException {
        if (into.position() >= needBytes) {
            return;
        }
        enter();
        try {
            into.limit(Math.min(into.capacity(), needBytes + RECORD_BYTES));
            if (early.hasRemaining()) {
                int length = Math.min(early.remaining(), into.remaining());
                into.put(early.slice(early.position(), length));
                early.position(early.position() + length);
            }
            while (into.position() < needBytes) {
                var result = unwrap(into);
                var status = result.getHandshakeStatus();
                if (result.getStatus() == SSLEngineResult.Status.CLOSED) {
                    // With bytes: if they are not enough, the next call says that no more come.
                    continue;
                }
                if (status == HandshakeStatus.NEED_TASK) {
                    runTasks();
                } else if (status == HandshakeStatus.NEED_WRAP && writing.tryLock()) {
                    // A key update wants its answer; who writes now sends it along otherwise.
                    try {
                        wrapNothing();
                    } finally {
                        writing.unlock();
                    }
                } else if (underflow(result) || (result.bytesProduced() == 0 && !incoming.hasRemaining())) {
                    receive();
                } else if (result.bytesProduced() == 0 && result.bytesConsumed() == 0) {
                    // Until an alert is sent nothing more is read, and somebody else is sending.
                    LockSupport.parkNanos(PAUSE_NANOS);
                }
            }
        } finally {
            leave();
        }
    }

    /** Encrypts and sends all bytes. */
    void write(ByteBuffer... sources) throws IOException {
        enter();
        writing.lock();
        try {
            outgoing.clear();
            for (var source : sources) {
                Arrays.fill(records, source);
                while (source.hasRemaining()) {
                    if (outgoing.remaining() < packetBytes) {
                        flush();
                    }
                    check(engine.wrap(records, outgoing));
                }
            }
            flush();
        } finally {
            Arrays.fill(records, null);
            writing.unlock();
            leave();
        }
    }

    /** Says that nothing more comes. */
    void shutdownOutput() throws IOException {
        enter();
        writing.lock();
        try {
            engine.closeOutbound();
            outgoing.clear();
            while (!engine.isOutboundDone() && engine.wrap(NOTHING, outgoing).bytesProduced() > 0) {
                flush();
            }
            socket.shutdownOutput();
        } finally {
            writing.unlock();
            leave();
        }
    }

    /** Ends waiting reads and writes. Never waits. */
    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            // A socket that cannot be closed is closed.
        }
        synchronized (gate) {
            closed = true;
            freeWhenEmpty();
        }
    }

    private SSLEngineResult unwrap(ByteBuffer into) throws IOException {
        var result = engine.unwrap(incoming, into);
        if (result.bytesProduced() > 0) {
            // Of several records the last may not have fitted, or was the peer's end: the next call says so.
            return result;
        }
        return switch (result.getStatus()) {
            case OK, BUFFER_UNDERFLOW -> result;
            case CLOSED -> throw new EOFException("peer ended the connection");
            case BUFFER_OVERFLOW ->
                throw new SSLException("a record does not fit into %d bytes".formatted(into.remaining()));
        };
    }

    private static boolean underflow(SSLEngineResult result) {
        return result.getStatus() == SSLEngineResult.Status.BUFFER_UNDERFLOW;
    }

    private void receive() throws IOException {
        incoming.compact();
        try {
            if (socket.read(incoming) < 0) {
                throw new EOFException("peer ended the connection");
            }
        } finally {
            incoming.flip();
        }
    }

    private HandshakeStatus wrapNothing() throws IOException {
        outgoing.clear();
        var result = engine.wrap(NOTHING, outgoing);
        check(result);
        flush();
        return result.getHandshakeStatus();
    }

    private static void check(SSLEngineResult result) throws IOException {
        if (result.getStatus() == SSLEngineResult.Status.CLOSED) {
            throw new ClosedChannelException();
        }
        boolean full = result.getStatus() == SSLEngineResult.Status.BUFFER_OVERFLOW && result.bytesConsumed() > 0;
        if (result.getStatus() != SSLEngineResult.Status.OK && !full) {
            throw new SSLException("the engine answers " + result.getStatus());
        }
    }

    private void flush() throws IOException {
        outgoing.flip();
        while (outgoing.hasRemaining()) {
            socket.write(outgoing);
        }
        outgoing.clear();
    }

    private void runTasks() {
        for (var task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
        }
    }

    private void enter() throws ClosedChannelException {
        synchronized (gate) {
            if (closed) {
                throw new ClosedChannelException();
            }
            inside++;
        }
    }

    private void leave() {
        synchronized (gate) {
            inside--;
            freeWhenEmpty();
        }
    }

    /** The engine's memory is not the JDK's: it goes when the last thread has left. */
    private void freeWhenEmpty() {
        if (closed && inside == 0 && !freed) {
            freed = true;
            PinnedTls.free(engine);
        }
    }
}

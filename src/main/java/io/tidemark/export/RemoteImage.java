package io.tidemark.export;

import io.tidemark.export.protocol.ClientSide;
import io.tidemark.export.protocol.Extent;
import io.tidemark.export.protocol.Request;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An export that another process serves, kept through that process's restarts: while it is away calls wait. Once it is
 * back it is first given again what it acknowledged and was not yet told to flush, then what is in flight, each once and
 * in the order in which it was sent. All of that says where it belongs, so doing it twice is doing it once; a flush in
 * flight is sent after all of those are acknowledged anew.
 *
 * <p>Past {@code awayLimit} everything fails, for good: what was acknowledged may be lost then.
 */
final class RemoteImage implements ExportImage {
    /** Acknowledged and not flushed; past it this flushes by itself. */
    static final long UNFLUSHED_BYTES_MAXIMUM = 32L << 20;

    /** A request's length has 32 bits. */
    private static final long ZEROES_BYTES_MAXIMUM = 1L << 30;

    /** Before each connection but the first: one that is lost at once, each time, would cost all of a processor. */
    static final Duration RETRY_PAUSE = Duration.ofMillis(100);

    private static final Logger LOG = LoggerFactory.getLogger(RemoteImage.class);

    private final Path socket;
    private final String export;
    private final Duration awayLimit;
    private final ClientSide.Told told;
    private final RemoteCalls calls = new RemoteCalls();
    /** Keeps requests whole and in order; held while there is no connection. */
    private final ReentrantLock sending = new ReentrantLock();

    private volatile RemoteConnection connection;
    private volatile boolean closing;

    private RemoteImage(Path socket, String export, Duration awayLimit, RemoteConnection connection) {
        this.socket = socket;
        this.export = export;
        this.awayLimit = awayLimit;
        this.connection = connection;
        this.told = connection.told();
    }

    /** @throws IOException where nobody listens there, or the export is not there */
    static RemoteImage connect(Path socket, String export, Duration awayLimit) throws IOException {
        var connection = RemoteConnection.open(socket, export);
        var image = new RemoteImage(socket, export, awayLimit, connection);
        image.listen(connection);
        return image;
    }

    boolean writable() {
        return told.writable();
    }

    /** Of changes that were acknowledged and not flushed. */
    long unflushedBytes() {
        return calls.unflushedBytes();
    }

    private void listen(RemoteConnection from) {
        Thread.ofPlatform().name("tidemark-attach-replies").daemon().start(() -> {
            try {
                hear(from);
            } catch (Throwable e) {
                // Without this thread nothing is answered any more: whoever waits has to hear of it.
                LOG.error("attach.broken export={}", export, e);
                calls.fail(new IOException("export %s: %s".formatted(export, e), e));
                from.close();
            }
        });
    }

    private void hear(RemoteConnection from) {
        try {
            while (true) {
                calls.answered(from);
            }
        } catch (IOException e) {
            from.close();
            calls.lost();
            if (!closing) {
                LOG.warn("attach.connection_lost export={} reason={}", export, e.getMessage());
                reconnect();
            }
        }
    }

    /** On the thread whose connection has ended: there is one such at a time. */
    private void reconnect() {
        sending.lock();
        try {
            while (!calls.failed()) {
                TimeUnit.NANOSECONDS.sleep(RETRY_PAUSE.toNanos());
                try {
                    var again = RemoteConnection.open(socket, export);
                    refuseAnother(again);
                    connection = again;
                    listen(again);
                    replay(again);
                    LOG.info("attach.connected_again export={}", export);
                    return;
                } catch (IOException e) {
                    if (calls.awayFor(awayLimit)) {
                        LOG.error("attach.given_up export={} after={} reason={}", export, awayLimit, e.getMessage());
                        calls.fail(new IOException("export %s was away for more than %s".formatted(export, awayLimit)));
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            calls.fail(new IOException("interrupted", e));
        } finally {
            sending.unlock();
        }
    }

    private void refuseAnother(RemoteConnection again) throws IOException {
        if (!again.told().replaces(told)) {
            again.close();
            var reason = "export %s is another now: %s, was %s".formatted(export, again.told(), told);
            calls.fail(new IOException(reason));
            throw new IOException(reason);
        }
    }

    /** Where this connection is lost too, the thread that reads from it begins anew. */
    private void replay(RemoteConnection again) throws InterruptedException {
        try {
            for (var call : calls.unflushed()) {
                again.send(call.frame());
            }
            if (calls.awaitReplayed()) {
                for (var call : calls.inFlight()) {
                    call.sending();
                    again.send(call.frame());
                }
            }
        } catch (IOException e) {
            again.close();
        }
    }

    private byte[] ask(int flags, int type, long offsetBytes, long lengthBytes, ByteBuffer payload) throws IOException {
        var call = sent(flags, type, offsetBytes, lengthBytes, payload);
        byte[] answer = call.await();
        if (calls.unflushedBytes() > UNFLUSHED_BYTES_MAXIMUM && type != Request.FLUSH) {
            flush();
        }
        return answer;
    }

    private RemoteCalls.Call sent(int flags, int type, long offsetBytes, long lengthBytes, ByteBuffer payload)
            throws IOException {
        sending.lock();
        try {
            var call = calls.begun(flags, type, offsetBytes, lengthBytes, payload);
            call.sending();
            try {
                connection.send(call.frame());
            } catch (IOException e) {
                // It is in flight: sent again by whoever finds that the connection has ended.
                connection.close();
            }
            return call;
        } finally {
            sending.unlock();
        }
    }

    @Override
    public long sizeBytes() {
        return told.sizeBytes();
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws IOException {
        target.put(ask(0, Request.READ, offsetBytes, target.remaining(), ByteBuffer.allocate(0)));
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) throws IOException {
        ask(0, Request.WRITE, offsetBytes, source.remaining(), source);
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean keepSpace) throws IOException {
        int flags = keepSpace ? ClientSide.noHole() : 0;
        for (long done = 0; done < lengthBytes; done += ZEROES_BYTES_MAXIMUM) {
            long length = Math.min(ZEROES_BYTES_MAXIMUM, lengthBytes - done);
            ask(flags, Request.WRITE_ZEROES, offsetBytes + done, length, ByteBuffer.allocate(0));
        }
    }

    @Override
    public void flush() throws IOException {
        if (writable()) {
            ask(0, Request.FLUSH, 0, 0, ByteBuffer.allocate(0));
        }
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

    /** What is written again after a loss is in the order of the answers: another client's writes have no place in it. */
    @Override
    public boolean shared() {
        return false;
    }

    @Override
    public void ending() {
        closing = true;
        calls.fail(new IOException("export %s is being detached".formatted(export)));
    }

    @Override
    public void close() {
        ending();
        connection.close();
    }
}

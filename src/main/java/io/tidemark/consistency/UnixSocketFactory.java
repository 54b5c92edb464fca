package io.tidemark.consistency;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import javax.net.SocketFactory;

/**
 * Connects a database's driver to a Unix socket. Drivers offer a door for socket factories but none of their own for
 * Unix sockets, or one that needs a native library; the JDK has such channels but no {@link Socket} of them.
 * PostgreSQL's driver makes one from its name and argument, so it is public.
 */
public final class UnixSocketFactory extends SocketFactory {
    /** For drivers that name no limit. */
    private static final int CONNECT_MILLIS = 5_000;

    private static final long AGAIN_MILLIS = 10;
    /** The kernel's EAGAIN, connect(2): on Unix sockets that as many wait as listen(2) was told. */
    private static final String QUEUE_FULL = "Resource temporarily unavailable";

    private final Path path;

    /** @param path of the socket; the driver passes its {@code socketFactoryArg} */
    public UnixSocketFactory(String path) {
        this.path = Path.of(path);
    }

    @Override
    public Socket createSocket() throws IOException {
        return new UnixSocket(path);
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return connected();
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort) throws IOException {
        return connected();
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return connected();
    }

    @Override
    public Socket createSocket(InetAddress address, int port, InetAddress localAddress, int localPort)
            throws IOException {
        return connected();
    }

    private Socket connected() throws IOException {
        var socket = createSocket();
        socket.connect(UnixDomainSocketAddress.of(path));
        return socket;
    }

    /** As much of a socket as the driver uses. Reads honour the timeout, as {@link Socket#setSoTimeout} says. */
    private static final class UnixSocket extends Socket {
        private final Path path;
        private final Selector readable;
        private final Selector writable;
        /** One that could not connect is closed, so each try has its own. */
        private SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);

        private volatile int timeoutMillis;

        UnixSocket(Path path) throws IOException {
            this.path = path;
            readable = Selector.open();
            writable = Selector.open();
        }

        @Override
        public void connect(SocketAddress ignored) throws IOException {
            connect(ignored, 0);
        }

        /** A Unix socket connects at once or fails at once, unless as many wait as its server lets wait. */
        @Override
        public void connect(SocketAddress ignored, int limitMillis) throws IOException {
            long limitNanos = TimeUnit.MILLISECONDS.toNanos(limitMillis > 0 ? limitMillis : CONNECT_MILLIS);
            long started = System.nanoTime();
            try {
                while (!connected()) {
                    if (System.nanoTime() - started > limitNanos) {
                        throw new SocketTimeoutException("%s takes no connection: its server does not answer, for %d ms"
                                .formatted(path, TimeUnit.NANOSECONDS.toMillis(limitNanos)));
                    }
                    TimeUnit.MILLISECONDS.sleep(AGAIN_MILLIS);
                }
                channel.register(readable, SelectionKey.OP_READ);
                channel.register(writable, SelectionKey.OP_WRITE);
            } catch (IOException e) {
                close();
                throw e;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                close();
                throw new IOException("interrupted while connecting to " + path, e);
            }
        }

        private boolean connected() throws IOException {
            channel.close();
            channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            channel.configureBlocking(false);
            try {
                return channel.connect(UnixDomainSocketAddress.of(path));
            } catch (SocketException e) {
                if (String.valueOf(e.getMessage()).contains(QUEUE_FULL)) {
                    return false;
                }
                throw e;
            }
        }

        @Override
        public InputStream getInputStream() {
            return new InputStream() {
                @Override
                public int read() throws IOException {
                    var one = new byte[1];
                    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
                }

                @Override
                public int read(byte[] target, int offset, int length) throws IOException {
                    return readSome(ByteBuffer.wrap(target, offset, length));
                }

                @Override
                public void close() throws IOException {
                    UnixSocket.this.close();
                }
            };
        }

        private int readSome(ByteBuffer target) throws IOException {
            if (!target.hasRemaining()) {
                return 0;
            }
            int count = channel.read(target);
            while (count == 0) {
                readable.selectedKeys().clear();
                if (readable.select(timeoutMillis) == 0 && channel.isOpen() && timeoutMillis > 0) {
                    throw new SocketTimeoutException("nothing read within %d ms".formatted(timeoutMillis));
                }
                count = channel.read(target);
            }
            return count;
        }

        @Override
        public OutputStream getOutputStream() {
            return new OutputStream() {
                @Override
                public void write(int value) throws IOException {
                    write(new byte[] {(byte) value}, 0, 1);
                }

                @Override
                public void write(byte[] source, int offset, int length) throws IOException {
                    var bytes = ByteBuffer.wrap(source, offset, length);
                    while (channel.write(bytes) >= 0 && bytes.hasRemaining()) {
                        writable.selectedKeys().clear();
                        writable.select();
                    }
                }

                @Override
                public void close() throws IOException {
                    UnixSocket.this.close();
                }
            };
        }

        @Override
        public void setSoTimeout(int millis) {
            timeoutMillis = millis;
        }

        @Override
        public int getSoTimeout() {
            return timeoutMillis;
        }

        @Override
        public void setTcpNoDelay(boolean on) {}

        @Override
        public void setKeepAlive(boolean on) {}

        @Override
        public void setReceiveBufferSize(int bytes) {}

        @Override
        public void setSendBufferSize(int bytes) {}

        @Override
        public int getSendBufferSize() {
            // What the driver asks for to bound its own batches; the kernel's default for Unix sockets.
            return 212_992;
        }

        @Override
        public boolean isBound() {
            // A library that finds a connected socket unbound takes it for lost, and connects anew.
            return channel.isConnected();
        }

        @Override
        public boolean isConnected() {
            return channel.isConnected();
        }

        @Override
        public boolean isClosed() {
            return !channel.isOpen();
        }

        @Override
        public void close() throws IOException {
            channel.close();
            readable.close();
            writable.close();
        }
    }
}

package io.tidemark.provider.fakecloud;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * HTTP/1.1 on loopback: one virtual thread a connection, kept alive, bodies read whole into one array of their own.
 *
 * <p>It is not {@code com.sun.net.httpserver} because an answer must be able to be a reset connection after its request
 * took effect.
 */
public final class HttpServer implements AutoCloseable {
    /** More than any test opens; a client that leaks connections is refused and so found. */
    private static final int CONNECTIONS_MAXIMUM = 1024;

    private static final int IDLE_MILLIS_MAXIMUM = 300_000;
    private static final int BACKLOG = 256;

    private final ServerSocket server;
    private final Function<HttpRequest, HttpAnswer> handler;
    private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
    private final LongSupplier requestIds;

    public HttpServer(Function<HttpRequest, HttpAnswer> handler, LongSupplier requestIds) throws IOException {
        this.handler = handler;
        this.requestIds = requestIds;
        server = new ServerSocket();
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), BACKLOG);
        Thread.ofPlatform().daemon().name("fakecloud-accept").start(this::accept);
    }

    public URI address() {
        return URI.create("http://127.0.0.1:" + server.getLocalPort());
    }

    private void accept() {
        while (!server.isClosed()) {
            Socket connection = next();
            if (connection == null) {
                return;
            }
            if (connections.size() >= CONNECTIONS_MAXIMUM) {
                closeQuietly(connection);
                continue;
            }
            connections.add(connection);
            Thread.ofVirtual().name("fakecloud-connection").start(() -> serve(connection));
        }
    }

    private @Nullable Socket next() {
        try {
            return server.accept();
        } catch (IOException closed) {
            return null;
        }
    }

    private void serve(Socket connection) {
        try (connection) {
            connection.setTcpNoDelay(true);
            connection.setSoTimeout(IDLE_MILLIS_MAXIMUM);
            var in = new HttpInput(connection.getInputStream(), connection.getOutputStream());
            while (!server.isClosed()) {
                HttpRequest request = in.next();
                if (request == null) {
                    return;
                }
                HttpAnswer answer = answer(request);
                if (answer.cut()) {
                    connection.setSoLinger(true, 0);
                    return;
                }
                write(answer, connection.getOutputStream());
            }
        } catch (IOException gone) {
            // The client went away, or the server was closed: there is nobody to tell.
        } finally {
            connections.remove(connection);
        }
    }

    /** A defect of the fake must not look like a fault of the network: it is answered in words. */
    private HttpAnswer answer(HttpRequest request) {
        try {
            return handler.apply(request);
        } catch (RuntimeException defect) {
            return HttpAnswer.text(500, "text/plain", Map.of(), "defect of the fake: " + defect);
        }
    }

    private void write(HttpAnswer answer, OutputStream out) throws IOException {
        var head = new StringBuilder(256)
                .append("HTTP/1.1 ")
                .append(answer.status)
                .append(" x\r\nContent-Type: ")
                .append(answer.contentType)
                .append("\r\nContent-Length: ")
                .append(answer.body.length)
                .append("\r\nx-amzn-RequestId: ")
                .append(requestIds.getAsLong())
                .append("\r\n");
        answer.headers.forEach(
                (name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
        head.append("\r\n");
        var buffered = new BufferedOutputStream(out, 1 << 14);
        buffered.write(head.toString().getBytes(StandardCharsets.ISO_8859_1));
        buffered.write(answer.body);
        buffered.flush();
    }

    private static void closeQuietly(Socket connection) {
        try {
            connection.close();
        } catch (IOException gone) {
            // It is closed either way.
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        connections.forEach(HttpServer::closeQuietly);
    }

    /** Requests of one connection. */
    private static final class HttpInput {
        private static final int LINE_BYTES_MAXIMUM = 64 << 10;
        private static final int HEADERS_MAXIMUM = 200;
        /** Far above the 512 KiB of a block. */
        private static final int BODY_BYTES_MAXIMUM = 16 << 20;

        private final InputStream in;
        private final OutputStream out;
        private final byte[] buffer = new byte[1 << 14];
        private int position;
        private int limit;

        HttpInput(InputStream in, OutputStream out) {
            this.in = in;
            this.out = out;
        }

        @Nullable
        HttpRequest next() throws IOException {
            String first = line();
            if (first == null) {
                return null;
            }
            String[] words = first.split(" ", -1);
            if (words.length != 3) {
                throw new IOException("no request line: " + first);
            }
            var headers = headers();
            if ("100-continue".equalsIgnoreCase(headers.get("expect"))) {
                out.write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
            }
            byte[] body;
            if ("chunked".equalsIgnoreCase(headers.get("transfer-encoding"))) {
                body = chunks();
            } else {
                body = bytes(length(headers.getOrDefault("content-length", "0"), 10));
            }
            return new HttpRequest(words[0], words[1], headers, body);
        }

        private Map<String, String> headers() throws IOException {
            var headers = new LinkedHashMap<String, String>();
            for (String line = line(); line != null && !line.isEmpty(); line = line()) {
                int colon = line.indexOf(':');
                if (colon < 1 || headers.size() >= HEADERS_MAXIMUM) {
                    throw new IOException("no header: " + line);
                }
                headers.put(
                        line.substring(0, colon).toLowerCase(Locale.ROOT),
                        line.substring(colon + 1).strip());
            }
            return headers;
        }

        private byte[] chunks() throws IOException {
            var whole = new java.io.ByteArrayOutputStream();
            while (true) {
                String head = line();
                int end = head == null ? -1 : head.indexOf(';');
                int length = length(head == null ? "" : end < 0 ? head : head.substring(0, end), 16);
                if (length == 0) {
                    headers();
                    return whole.toByteArray();
                }
                whole.write(bytes(length));
                line();
                if (whole.size() > BODY_BYTES_MAXIMUM) {
                    throw new IOException("body over " + BODY_BYTES_MAXIMUM + " bytes");
                }
            }
        }

        private static int length(String text, int radix) throws IOException {
            try {
                int length = Integer.parseInt(text.strip(), radix);
                if (length < 0 || length > BODY_BYTES_MAXIMUM) {
                    throw new IOException("body of %d bytes, at most %d".formatted(length, BODY_BYTES_MAXIMUM));
                }
                return length;
            } catch (NumberFormatException e) {
                throw new IOException("no length: " + text, e);
            }
        }

        private byte[] bytes(int length) throws IOException {
            byte[] bytes = new byte[length];
            int buffered = Math.min(length, limit - position);
            System.arraycopy(buffer, position, bytes, 0, buffered);
            position += buffered;
            if (in.readNBytes(bytes, buffered, length - buffered) < length - buffered) {
                throw new IOException("body ends early");
            }
            return bytes;
        }

        private @Nullable String line() throws IOException {
            var line = new StringBuilder(128);
            while (true) {
                if (position == limit) {
                    position = 0;
                    limit = in.read(buffer);
                    if (limit < 0) {
                        limit = 0;
                        return null;
                    }
                }
                int octet = buffer[position++] & 0xff;
                if (octet == '\n') {
                    return line.toString();
                }
                if (octet != '\r') {
                    line.append((char) octet);
                }
                if (line.length() > LINE_BYTES_MAXIMUM) {
                    throw new IOException("line over " + LINE_BYTES_MAXIMUM + " bytes");
                }
            }
        }
    }
}

package io.tidemark.consistency.redis;

import io.tidemark.consistency.UnixSocketFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.Optional;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import redis.clients.jedis.JedisSocketFactory;
import redis.clients.jedis.exceptions.JedisConnectionException;

/**
 * Connects to one server by TCP, TLS or a Unix socket.
 *
 * @param tls empty: none; else what decides whose certificates are trusted, the server's name is checked always
 */
record RedisSockets(RedisSettings settings, Optional<SSLSocketFactory> tls) implements JedisSocketFactory {

    @Override
    public Socket createSocket() {
        try {
            var socket = connected();
            try {
                socket.setSoTimeout((int) settings.answerLimit().toMillis());
                return tls.isPresent() ? secured(socket, tls.get()) : socket;
            } catch (IOException e) {
                socket.close();
                throw e;
            }
        } catch (IOException e) {
            throw new JedisConnectionException("no connection: " + e.getMessage(), e);
        }
    }

    private Socket connected() throws IOException {
        if (settings.socket().isPresent()) {
            return new UnixSocketFactory(settings.socket().get().toString()).createSocket("localhost", 0);
        }
        var socket = new Socket();
        try {
            socket.setTcpNoDelay(true);
            socket.setKeepAlive(true);
            socket.connect(new InetSocketAddress(settings.host(), settings.port()), (int)
                    settings.connectLimit().toMillis());
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    private Socket secured(Socket plain, SSLSocketFactory factory) throws IOException {
        var secured = (SSLSocket) factory.createSocket(plain, settings.host(), settings.port(), true);
        var parameters = secured.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        secured.setSSLParameters(parameters);
        secured.startHandshake();
        return secured;
    }
}

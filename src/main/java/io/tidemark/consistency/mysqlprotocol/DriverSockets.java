package io.tidemark.consistency.mysqlprotocol;

import io.tidemark.consistency.UnixSocketFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.mariadb.jdbc.Configuration;
import org.mariadb.jdbc.util.ConfigurableSocketFactory;

/**
 * Gives the driver the JDK's Unix sockets; its own need a native library. The driver makes one from its name and then
 * configures it, so it is public. The path travels as an option that the driver does not know and hands through.
 */
public final class DriverSockets extends ConfigurableSocketFactory {
    static final String PATH_OPTION = "tidemarkSocketFile";

    private @Nullable UnixSocketFactory factory;

    @Override
    public void setConfiguration(Configuration configuration, String host) {
        factory = new UnixSocketFactory(configuration.nonMappedOptions().getProperty(PATH_OPTION));
    }

    private UnixSocketFactory configured() {
        return Objects.requireNonNull(factory, "the driver configures before it connects");
    }

    @Override
    public Socket createSocket() throws IOException {
        return configured().createSocket();
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return configured().createSocket(host, port);
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort) throws IOException {
        return configured().createSocket(host, port, localHost, localPort);
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return configured().createSocket(host, port);
    }

    @Override
    public Socket createSocket(InetAddress address, int port, InetAddress localAddress, int localPort)
            throws IOException {
        return configured().createSocket(address, port, localAddress, localPort);
    }
}

package io.tidemark.consistency.oracle;

import io.tidemark.consistency.jdbc.JdbcConnection;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.SQLException;
import java.util.Optional;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * Oracle's own driver, which its terms keep out of this distribution: from a jar that this host's configuration names,
 * in a class loader of its own, loaded when it is first used.
 */
final class OracleDriver implements JdbcConnection.Connector {
    static final String SETTING = "quiescers.oracle.driver";
    /** Under which the address goes in with the properties; it is taken out before the driver sees them. */
    static final String ADDRESS = "tidemark.address";

    private static final String DRIVER_CLASS = "oracle.jdbc.OracleDriver";
    private static final String WAY_OUT = "get ojdbc17.jar or ojdbc11.jar from Oracle"
            + " (https://www.oracle.com/database/technologies/appdev/jdbc-downloads.html), put it on this host and name it by "
            + SETTING + " in this host's configuration";

    private final Optional<Path> jar;
    private @Nullable Driver driver;

    OracleDriver(Optional<Path> jar) {
        this.jar = jar;
    }

    @Override
    public Connection connect(Properties properties) throws SQLException, IOException {
        var address = properties.remove(ADDRESS);
        var connection = loaded().connect("jdbc:oracle:thin:@" + address, properties);
        if (connection == null) {
            throw new SQLException("the driver in %s does not know the address".formatted(jar.orElseThrow()));
        }
        return connection;
    }

    private synchronized Driver loaded() throws IOException {
        if (driver == null) {
            driver = load();
        }
        return driver;
    }

    // The loader lives as long as the driver it loaded, which is as long as this process.
    @SuppressWarnings("resource")
    private Driver load() throws IOException {
        if (jar.isEmpty()) {
            throw new IOException(
                    "Oracle's JDBC driver is not part of Tidemark, its terms are Oracle's own: %s".formatted(WAY_OUT));
        }
        var file = jar.get();
        if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
            throw new IOException("%s %s is not a file that can be read: %s".formatted(SETTING, file, WAY_OUT));
        }
        var loader = new URLClassLoader(
                "oracle-driver", new URL[] {file.toUri().toURL()}, ClassLoader.getPlatformClassLoader());
        try {
            return Class.forName(DRIVER_CLASS, true, loader)
                    .asSubclass(Driver.class)
                    .getDeclaredConstructor()
                    .newInstance();
        } catch (ReflectiveOperationException | LinkageError | ClassCastException e) {
            loader.close();
            throw new IOException(
                    "%s %s is not Oracle's JDBC driver for this Java (%s): %s".formatted(SETTING, file, e, WAY_OUT), e);
        }
    }
}

package io.tidemark.consistency.oracle;

import io.tidemark.consistency.ApplicationPlaces;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Explanation;
import io.tidemark.consistency.Explanation.Setting;
import io.tidemark.consistency.QuiescerSettings;
import io.tidemark.domain.QuiescerSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How to reach one database, and how its recovery point is made good.
 *
 * @param service of the database, or of the root of a container database
 * @param backupMode whether it is in backup mode around the cut
 * @param trustStoreFile certificates to trust in place of Java's own
 * @param statementLimit longest time a statement may take; the one that begins backup mode waits for a checkpoint
 */
record OracleSettings(
        String host,
        int port,
        String service,
        String user,
        Optional<Path> passwordFile,
        boolean backupMode,
        boolean tls,
        Optional<Path> trustStoreFile,
        Duration connectLimit,
        Duration statementLimit) {
    static final String KIND = "oracle";

    private static final String HOST_DEFAULT = "127.0.0.1";
    private static final int PORT_DEFAULT = 1521;
    private static final String USER_DEFAULT = "c##tidemark";
    private static final String SNAPSHOT_TIME = "snapshotTime";
    private static final String BACKUP_MODE = "backupMode";
    private static final String ON = "on";
    private static final String OFF = "off";
    /** Neither may hold what an address is made of. */
    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9._:%-]+");

    private static final Pattern SERVICE = Pattern.compile("[A-Za-z0-9._$#-]+");
    private static final long CONNECT_MILLIS_DEFAULT = 5_000;
    /** Beginning backup mode writes out all that is dirty. */
    private static final long STATEMENT_MILLIS_DEFAULT = 60_000;

    static final List<Setting> ALL = List.of(
            Setting.millis("connectTimeoutMillis", CONNECT_MILLIS_DEFAULT, "longest wait for the server to accept"),
            Setting.text("host", HOST_DEFAULT, "name or address of the server"),
            Setting.text(
                    "mode",
                    SNAPSHOT_TIME,
                    "snapshotTime: nothing is held, the time of the cut is kept; backupMode: BEGIN BACKUP and END BACKUP"
                            + " around the cut"),
            Setting.secretFile("passwordFile", "file whose first line is the password; read at each connection"),
            Setting.text("port", Integer.toString(PORT_DEFAULT), "of the listener"),
            Setting.text("service", "", "needed: service of the database, or of a container database's root"),
            Setting.millis(
                    "statementTimeoutMillis",
                    STATEMENT_MILLIS_DEFAULT,
                    "longest wait for an answer; BEGIN BACKUP waits for a checkpoint"),
            Setting.text("tls", "", "on or off; without it off for addresses of this host, else on"),
            Setting.secretFile(
                    "trustStoreFile",
                    "PKCS #12 file without a password, of certificates to trust in place of Java's; needs TLS"),
            Setting.text("user", USER_DEFAULT, "account to log in as"));

    /** @throws ConsistencyException BadQuiescerSetting; also where the service is missing */
    static OracleSettings of(QuiescerSpec spec) throws ConsistencyException {
        var settings = QuiescerSettings.of(spec, Explanation.names(ALL));
        var host = settings.text("host", HOST_DEFAULT);
        if (!HOST.matcher(host).matches()) {
            throw settings.bad("host", "is not one name or address: " + host);
        }
        if (!settings.has("service")) {
            throw settings.bad("service", "is missing: the database's, or that of a container database's root");
        }
        var service = settings.text("service", "");
        if (!SERVICE.matcher(service).matches()) {
            throw settings.bad("service", "is not the name of a service: " + service);
        }
        boolean tls = settings.word("tls", List.of(ON, OFF), ApplicationPlaces.isLocal(host) ? OFF : ON)
                .equals(ON);
        var trustStoreFile = settings.path("trustStoreFile");
        if (trustStoreFile.isPresent() && !tls) {
            throw settings.bad("trustStoreFile", "needs tls on");
        }
        return new OracleSettings(
                host,
                settings.port(PORT_DEFAULT),
                service,
                settings.text("user", USER_DEFAULT),
                settings.path("passwordFile"),
                settings.word("mode", List.of(SNAPSHOT_TIME, BACKUP_MODE), SNAPSHOT_TIME)
                        .equals(BACKUP_MODE),
                tls,
                trustStoreFile,
                settings.millis("connectTimeoutMillis", CONNECT_MILLIS_DEFAULT),
                settings.millis("statementTimeoutMillis", STATEMENT_MILLIS_DEFAULT));
    }

    /** {@code 127.0.0.1:1521/orcl}. */
    String subject() {
        return "%s:%d/%s".formatted(host.contains(":") ? "[" + host + "]" : host, port, service);
    }

    boolean local() {
        return ApplicationPlaces.isLocal(host);
    }

    /** As Oracle Net writes it: none of the parts can hold a parenthesis. */
    String address() {
        return "(DESCRIPTION=(ADDRESS=(PROTOCOL=%s)(HOST=%s)(PORT=%d))(CONNECT_DATA=(SERVICE_NAME=%s)))"
                .formatted(tls ? "TCPS" : "TCP", host, port, service);
    }
}

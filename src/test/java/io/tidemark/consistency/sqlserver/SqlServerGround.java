package io.tidemark.consistency.sqlserver;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.consistency.Quiescer;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.spi.RecoveryPointId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import org.junit.jupiter.api.io.TempDir;

/** A {@link FakeSqlServer} with two databases, and quiescers of it. */
abstract class SqlServerGround {
    static final RecoveryPointId POINT = new RecoveryPointId("rp-1");
    static final Duration LIMIT = Duration.ofSeconds(10);
    static final Duration SHORT = Duration.ofSeconds(1);

    final FakeSqlServer server = new FakeSqlServer();

    @TempDir
    Path folder;

    Quiescer quiescer(String... namesAndValues) throws ConsistencyException {
        var settings = new HashMap<String, String>();
        settings.put("statementTimeoutMillis", "1000");
        for (int index = 0; index < namesAndValues.length; index += 2) {
            settings.put(namesAndValues[index], namesAndValues[index + 1]);
        }
        return new SqlServerQuiescer(SqlServerSettings.of(new QuiescerSpec("sqlserver", settings)), server::connect);
    }

    Frozen held(Duration limit, String... settings) throws ConsistencyException {
        var frozen = quiescer(settings).freeze(POINT, limit);
        frozen.hold(limit);
        return frozen;
    }

    void assertNobodyHeld() {
        assertThat(server.holdsWriters("orders")).isFalse();
        assertThat(server.holdsWriters("it's]odd")).isFalse();
    }
}

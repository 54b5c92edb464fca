package io.tidemark.consistency.oracle;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.consistency.Quiescer;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.spi.RecoveryPointId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A service whose databases are a {@link FakeOracle}, and its journal. */
abstract class OracleGround {
    static final RecoveryPointId POINT = new RecoveryPointId("rp-1");
    static final Duration LIMIT = Duration.ofSeconds(10);
    static final String[] BACKUP_MODE = {"mode", "backupMode"};

    @TempDir
    Path state;

    final FakeOracle server = new FakeOracle();
    OracleQuiescerFactory service;

    @BeforeEach
    void startService() {
        service = new OracleQuiescerFactory(server::connect, state);
    }

    static QuiescerSpec spec(String... namesAndValues) {
        var settings = new HashMap<String, String>();
        settings.put("service", "orcl");
        for (int index = 0; index < namesAndValues.length; index += 2) {
            settings.put(namesAndValues[index], namesAndValues[index + 1]);
        }
        return new QuiescerSpec("oracle", settings);
    }

    Quiescer quiescer(String... namesAndValues) throws ConsistencyException {
        return service.create(spec(namesAndValues));
    }

    Frozen held(String... settings) throws ConsistencyException {
        var frozen = quiescer(settings).freeze(POINT, LIMIT);
        frozen.hold(LIMIT);
        return frozen;
    }

    List<Path> journal() throws IOException {
        var folder = state.resolve("held-oracle");
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (var files = Files.list(folder)) {
            return files.toList();
        }
    }
}

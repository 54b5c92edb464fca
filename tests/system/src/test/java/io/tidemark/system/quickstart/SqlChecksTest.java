package io.tidemark.system.quickstart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.quickstart.SqlChecks;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.PostgresBinaries;
import io.tidemark.system.ground.PostgresServer;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.sql.SQLException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The checks that stand in for PostgreSQL's programs, on whole databases and on damaged ones. */
@Tag("system-image")
class SqlChecksTest {
    private static final String VERSION = "18.6.0";
    private static final int DAMAGED_OFFSET = 8_192 + 5_000;

    @Test
    void pageThatWasDamagedOnDiskIsFound() throws Exception {
        Ground.requireRootAnd("setpriv", "tar", "xz");
        try (var ground = Ground.open()) {
            var binaries = PostgresBinaries.unpack(VERSION, ground.folder());
            var data = ground.folder().resolve("data");
            PostgresServer.init(binaries, data);
            Path table;
            try (var server = PostgresServer.start(binaries, data)) {
                server.execute("CREATE TABLE numbers AS SELECT n FROM generate_series(1, 5000) n");
                try (var connection = server.connect()) {
                    assertThat(SqlChecks.readEveryPage(connection)).isPositive();
                }
                table = data.resolve("base")
                        .resolve(Long.toString(
                                server.number("SELECT oid FROM pg_database WHERE datname = current_database()")))
                        .resolve(Long.toString(server.number("SELECT pg_relation_filenode('numbers')")));
            }

            damage(table);

            try (var server = PostgresServer.start(binaries, data);
                    var connection = server.connect()) {
                assertThatThrownBy(() -> SqlChecks.readEveryPage(connection))
                        .isInstanceOf(SQLException.class)
                        .hasMessageContaining("invalid page in block 1");
            }
        }
    }

    private static void damage(Path table) throws Exception {
        try (var file = new RandomAccessFile(table.toFile(), "rw")) {
            file.seek(DAMAGED_OFFSET);
            int held = file.read();
            file.seek(DAMAGED_OFFSET);
            file.write(held ^ 1);
        }
    }

    @Test
    void indexThatDoesNotFitItsTableIsFound() throws Exception {
        Ground.requireRootAnd("setpriv", "tar", "xz");
        try (var ground = Ground.open()) {
            var binaries = PostgresBinaries.unpack(VERSION, ground.folder());
            var data = ground.folder().resolve("data");
            PostgresServer.init(binaries, data);
            try (var server = PostgresServer.start(binaries, data)) {
                server.execute("CREATE TABLE numbers AS SELECT n FROM generate_series(1, 500) n");
                server.execute("CREATE FUNCTION key(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1'");
                server.execute("CREATE INDEX numbers_key ON numbers (key(n))");
                server.checkStructures();

                // Called immutable, and yet changed: the index now holds other keys than its table asks for.
                server.execute("CREATE OR REPLACE FUNCTION key(int) RETURNS int IMMUTABLE LANGUAGE sql"
                        + " AS 'SELECT $1 + 1000'");

                // On a connection of its own: one that saw the index before remembers the function as it was.
                assertThatThrownBy(server::checkStructures)
                        .isInstanceOf(SQLException.class)
                        .hasMessageContaining("numbers_key");
            }
        }
    }
}

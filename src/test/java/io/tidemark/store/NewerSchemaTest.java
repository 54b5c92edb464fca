package io.tidemark.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.sql.DriverManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NewerSchemaTest {
    @TempDir
    Path folder;

    @Test
    void aDatabaseOfANewerVersionIsRefusedAndNotTouched() throws Exception {
        SiteStore.open(folder).close();
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("tidemark.db"));
                var statement = connection.createStatement()) {
            statement.execute("""
                    INSERT INTO flyway_schema_history (installed_rank, version, description, type, script, checksum,
                        installed_by, execution_time, success)
                    VALUES (99, '99', 'from the future', 'SQL', 'V99__future.sql', 1, 'x', 1, 1)""");
        }

        assertThatThrownBy(() -> SiteStore.open(folder))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("schema 99")
                .hasMessageContaining("knows up to 4");

        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("tidemark.db"));
                var statement = connection.createStatement()) {
            statement.execute("DELETE FROM flyway_schema_history WHERE version = '99'");
        }
        try (var opened = SiteStore.open(folder)) {
            assertThat(opened.links().all()).isEmpty();
        }
    }
}

package io.tidemark.consistency;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.consistency.mariadb.MariaDbQuiescerFactory;
import io.tidemark.consistency.mongodb.MongoDbQuiescerFactory;
import io.tidemark.consistency.mysql.MySqlQuiescerFactory;
import io.tidemark.consistency.oracle.OracleQuiescerFactory;
import io.tidemark.consistency.postgresql.PostgresQuiescerFactory;
import io.tidemark.consistency.redis.RedisQuiescerFactory;
import io.tidemark.consistency.sqlserver.SqlServerQuiescerFactory;
import io.tidemark.domain.QuiescerSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An agent lets its controller name secret files of one folder alone: a kind that forgets to declare one opens them all. */
class SecretSettingsTest {
    /** Who listens at a socket is who is frozen, and the other is a word. */
    private static final Set<String> NO_SECRETS = Set.of("socketFile", "withoutAppendOnlyFile");

    @Test
    void everyFileThatIsReadIsDeclaredAsSecret(@TempDir Path folder) throws Exception {
        var factories = List.<QuiescerFactory>of(
                new PostgresQuiescerFactory(),
                new MariaDbQuiescerFactory(),
                new MongoDbQuiescerFactory(folder),
                new MySqlQuiescerFactory(),
                new OracleQuiescerFactory(Optional.empty(), folder),
                new RedisQuiescerFactory(),
                new SqlServerQuiescerFactory());
        for (var factory : factories) {
            var settings =
                    factory.explain(new QuiescerSpec(factory.kind(), Map.of())).settings();
            assertThat(settings).as(factory.kind()).anyMatch(Explanation.Setting::isSecret);
            for (var setting : settings) {
                boolean isFile = setting.name().endsWith("File") && !NO_SECRETS.contains(setting.name());
                assertThat(setting.isSecret())
                        .as("%s of %s", setting.name(), factory.kind())
                        .isEqualTo(isFile);
            }
        }
    }
}

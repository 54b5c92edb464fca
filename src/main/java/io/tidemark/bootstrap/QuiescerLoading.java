package io.tidemark.bootstrap;

import io.tidemark.consistency.Quiescers;
import io.tidemark.consistency.command.CommandQuiescerFactory;
import io.tidemark.consistency.mariadb.MariaDbQuiescerFactory;
import io.tidemark.consistency.mongodb.MongoDbQuiescerFactory;
import io.tidemark.consistency.mysql.MySqlQuiescerFactory;
import io.tidemark.consistency.oracle.OracleQuiescerFactory;
import io.tidemark.consistency.postgresql.PostgresQuiescerFactory;
import io.tidemark.consistency.redis.RedisQuiescerFactory;
import io.tidemark.consistency.sqlserver.SqlServerQuiescerFactory;
import java.util.List;

/** All kinds of application that this distribution can freeze. */
final class QuiescerLoading {
    private QuiescerLoading() {}

    static Quiescers load(Settings settings) {
        return new Quiescers(List.of(
                new PostgresQuiescerFactory(),
                new MariaDbQuiescerFactory(),
                new MongoDbQuiescerFactory(settings.stateFolder()),
                new MySqlQuiescerFactory(),
                new RedisQuiescerFactory(),
                new SqlServerQuiescerFactory(),
                new OracleQuiescerFactory(settings.oracleDriver(), settings.stateFolder()),
                new CommandQuiescerFactory(settings.commands(), settings.stateFolder())));
    }
}

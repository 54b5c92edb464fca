package io.tidemark.quickstart;

import java.util.List;

/** {@code pgbench} itself. */
record PgbenchLoad(ClientPrograms clients) implements DatabaseLoad {
    static final String PROGRAM = "pgbench";

    @Override
    public void fill(PostgresServer server, String database) throws QuickstartException {
        clients.run(server, PROGRAM, List.of("-i", "-q", "-s", Integer.toString(SCALE), database));
    }

    @Override
    public void run(PostgresServer server, String database, int seconds) throws QuickstartException {
        clients.run(
                server,
                PROGRAM,
                List.of(
                        "-n",
                        "-c",
                        Integer.toString(CLIENTS),
                        "-R",
                        Integer.toString(TRANSACTIONS_PER_SECOND),
                        "-T",
                        Integer.toString(seconds),
                        database));
    }

    @Override
    public String name() {
        return PROGRAM;
    }
}

package io.tidemark.quickstart;

/** What keeps a database busy beside the writer: tables of half a million rows, and small transactions on them. */
interface DatabaseLoad {
    /** Accounts are 100,000 times this, as pgbench counts. */
    int SCALE = 5;

    int CLIENTS = 2;
    int TRANSACTIONS_PER_SECOND = 150;

    /** Makes the tables and fills them. */
    void fill(PostgresServer server, String database) throws QuickstartException;

    /** Returns when the time is over. */
    void run(PostgresServer server, String database, int seconds) throws QuickstartException;

    String name();
}

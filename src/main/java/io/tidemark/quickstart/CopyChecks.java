package io.tidemark.quickstart;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * What is checked of a recovered database besides the numbers: by PostgreSQL's own programs, or by SQL where they did
 * not come with it. Keeps what came out clean, and what was replaced or left out.
 */
final class CopyChecks {
    private static final String AMCHECK = "pg_amcheck";
    private static final String CHECKSUMS = "pg_checksums";

    private final ClientPrograms clients;
    private final List<String> clean = new ArrayList<>();
    private final List<String> leftOut = new ArrayList<>();

    CopyChecks(ClientPrograms clients) {
        this.clients = clients;
    }

    List<String> clean() {
        return clean;
    }

    List<String> leftOut() {
        return leftOut;
    }

    /** Makes the programs' server side in the source, so that the copy has it. */
    void prepare(PostgresServer source, String database) throws QuickstartException {
        if (clients.has(AMCHECK)) {
            source.execute(database, "CREATE EXTENSION amcheck");
        }
    }

    void whileRunning(PostgresServer recovered, String database) throws QuickstartException {
        if (clients.has(AMCHECK)) {
            clients.run(recovered, AMCHECK, List.of("--heapallindexed", "--database=" + database));
            clean.add("pg_amcheck (tables, and indexes against tables)");
        } else {
            structuresBySql(recovered, database);
        }
        if (!clients.has(CHECKSUMS)) {
            pagesBySql(recovered);
        }
    }

    /** @param data of a server that was stopped cleanly */
    void whenStopped(Path data) throws QuickstartException {
        if (clients.has(CHECKSUMS)) {
            clients.runOn(data, CHECKSUMS, List.of("--check"));
            clean.add("pg_checksums (every page)");
        }
    }

    private void structuresBySql(PostgresServer recovered, String database) throws QuickstartException {
        try (var connection = recovered.connect(database)) {
            if (!SqlChecks.mayCheckStructures(connection)) {
                leftOut.add("pg_amcheck, which did not come with this PostgreSQL, nor did its extension");
                return;
            }
            SqlChecks.checkStructures(connection);
            clean.add("amcheck by SQL (tables, and indexes against tables)");
            leftOut.add("pg_amcheck, which did not come with this PostgreSQL: its extension was asked by SQL instead");
        } catch (SQLException e) {
            throw damaged(e);
        }
    }

    private void pagesBySql(PostgresServer recovered) throws QuickstartException {
        long pages = 0;
        for (var database : databases(recovered)) {
            try (var connection = recovered.connect(database)) {
                if (!SqlChecks.mayReadEveryPage(connection)) {
                    leftOut.add("pg_checksums, which did not come with this PostgreSQL, nor did what reads all pages");
                    return;
                }
                pages += SqlChecks.readEveryPage(connection);
            } catch (SQLException e) {
                throw damaged(e);
            }
        }
        clean.add("checksums by the server itself (%d pages read, of every database but template0)".formatted(pages));
        leftOut.add("pg_checksums, which did not come with this PostgreSQL:"
                + " the server read every page by SQL and checked it instead");
    }

    /** Those that can be connected to: all but {@code template0}, which nothing ever writes to. */
    private static List<String> databases(PostgresServer recovered) throws QuickstartException {
        try (Connection connection = recovered.connect("postgres");
                var statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT datname FROM pg_database WHERE datallowconn")) {
            List<String> names = new ArrayList<>();
            while (rows.next()) {
                names.add(rows.getString(1));
            }
            return names;
        } catch (SQLException e) {
            throw damaged(e);
        }
    }

    private static QuickstartException damaged(SQLException e) {
        return new QuickstartException("the recovered database failed its check: " + e.getMessage(), e);
    }
}

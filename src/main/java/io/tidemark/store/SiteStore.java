package io.tidemark.store;

import java.nio.file.Path;

/**
 * The state folder, opened: lock, database, tables.
 *
 * @param catalog what replication and pairing keep
 */
public record SiteStore(
        StateLock lock,
        Database database,
        GroupTable groups,
        RecoveryPointTable recoveryPoints,
        PeerTable peers,
        LinkTable links,
        SiteTables catalog,
        OperationTable operations,
        IdempotencyTable idempotency,
        TrackingAuditTable trackingAudits,
        AgentTable agents,
        TokenTable tokens)
        implements AutoCloseable {

    /**
     * Makes the folder (0700) when it is not there.
     *
     * @throws StoreException when another process has it, or its database is damaged or of a newer version
     */
    public static SiteStore open(Path folder) {
        var lock = StateLock.take(folder);
        try {
            var database = Database.open(folder);
            var peers = new PeerTable(database);
            var links = new LinkTable(database);
            var points = new RecoveryPointTable(database);
            return new SiteStore(
                    lock,
                    database,
                    new GroupTable(database),
                    points,
                    peers,
                    links,
                    new SiteTables(database, peers, links, points),
                    new OperationTable(database),
                    new IdempotencyTable(database),
                    new TrackingAuditTable(database),
                    new AgentTable(database),
                    new TokenTable(database));
        } catch (RuntimeException failure) {
            lock.close();
            throw failure;
        }
    }

    @Override
    public void close() {
        database.close();
        lock.close();
    }
}

package io.tidemark.store;

import io.tidemark.control.port.Page;
import io.tidemark.control.port.PeerStore;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import java.util.Optional;

/** Peers in SQL. */
public final class PeerTable implements PeerStore {
    static final Sql.Row<Peer> PEER = row -> StoredJson.read(row.getString("document"), Peer.class);
    /** Far more sites than anyone pairs; bounds what one read takes into memory. */
    static final int PEERS_MAXIMUM = 100_000;

    private final Database database;

    public PeerTable(Database database) {
        this.database = database;
    }

    @Override
    public Page<Peer> page(Optional<String> after, int limit) {
        return database.read(
                "peers",
                connection -> Page.cut(
                        Sql.list(
                                connection,
                                PEER,
                                "SELECT document FROM peers WHERE id > ? ORDER BY id LIMIT ?",
                                after.orElse(""),
                                limit + 1),
                        limit,
                        peer -> peer.id().value()));
    }

    @Override
    public Optional<Peer> find(PeerId id) {
        return database.read(
                "peer", connection -> Sql.one(connection, PEER, "SELECT document FROM peers WHERE id = ?", id.value()));
    }

    @Override
    public boolean remove(PeerId id) {
        return database.write(
                "peer", connection -> Sql.execute(connection, "DELETE FROM peers WHERE id = ?", id.value()) == 1);
    }
}

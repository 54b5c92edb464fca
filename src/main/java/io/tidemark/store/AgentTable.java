package io.tidemark.store;

import io.tidemark.agent.AgentStore;
import io.tidemark.domain.Agent;
import io.tidemark.domain.AgentId;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Agents in SQL. */
public final class AgentTable implements AgentStore {
    private static final Sql.Row<Agent> AGENT = row -> StoredJson.read(row.getString("document"), Agent.class);

    private final Database database;

    private record Invited(AgentId agent, boolean replaces) {}

    public AgentTable(Database database) {
        this.database = database;
    }

    @Override
    public List<Agent> agents() {
        return database.read(
                "agents", connection -> Sql.list(connection, AGENT, "SELECT document FROM agents ORDER BY id"));
    }

    @Override
    public Optional<Agent> agent(AgentId id) {
        return database.read("agent", connection -> find(connection, id));
    }

    private static Optional<Agent> find(Connection connection, AgentId id) throws SQLException {
        return Sql.one(connection, AGENT, "SELECT document FROM agents WHERE id = ?", id.value());
    }

    @Override
    public Optional<Agent> agentByFingerprint(String fingerprint) {
        return database.read("agent", connection -> find(connection, fingerprint));
    }

    private static Optional<Agent> find(Connection connection, String fingerprint) throws SQLException {
        return Sql.one(connection, AGENT, "SELECT document FROM agents WHERE fingerprint = ?", fingerprint);
    }

    @Override
    public boolean removeAgent(AgentId id) {
        return database.write("agent", connection -> {
            Sql.execute(connection, "DELETE FROM agent_invitations WHERE agent = ?", id.value());
            return Sql.execute(connection, "DELETE FROM agents WHERE id = ?", id.value()) == 1;
        });
    }

    @Override
    public void saveAgentInvitation(String secretSha256Hex, AgentId agent, boolean replaces, Instant expiresAt) {
        database.write(
                "invitation",
                connection -> Sql.execute(
                        connection,
                        "INSERT INTO agent_invitations (secret_sha256, agent, replaces, expires_at) VALUES (?, ?, ?, ?)",
                        secretSha256Hex,
                        agent.value(),
                        replaces ? 1 : 0,
                        expiresAt.toEpochMilli()));
    }

    @Override
    public Optional<Agent> enrol(String secretSha256Hex, String fingerprint, Instant now) {
        return database.write("enrolment", connection -> {
            Sql.execute(connection, "DELETE FROM agent_invitations WHERE expires_at <= ?", now.toEpochMilli());
            var known = find(connection, fingerprint);
            var invited = Sql.one(
                    connection,
                    row -> new Invited(new AgentId(row.getString("agent")), row.getInt("replaces") == 1),
                    "SELECT agent, replaces FROM agent_invitations WHERE secret_sha256 = ?",
                    secretSha256Hex);
            if (invited.isEmpty()) {
                // Our answer to its first try was lost, perhaps: it has proved its key.
                return known;
            }
            var id = invited.orElseThrow().agent();
            if (known.isPresent()) {
                return known.filter(agent -> agent.id().equals(id));
            }
            Sql.execute(connection, "DELETE FROM agent_invitations WHERE secret_sha256 = ?", secretSha256Hex);
            if (invited.orElseThrow().replaces()) {
                Sql.execute(connection, "DELETE FROM agents WHERE id = ?", id.value());
            }
            if (find(connection, id).isPresent()) {
                return Optional.empty();
            }
            var agent = new Agent(id, fingerprint, now);
            Sql.execute(
                    connection,
                    "INSERT INTO agents (id, fingerprint, document) VALUES (?, ?, ?)",
                    agent.id().value(),
                    fingerprint,
                    StoredJson.write(agent));
            return Optional.of(agent);
        });
    }
}

package io.tidemark.control;

import io.tidemark.agent.remote.Agents;
import io.tidemark.domain.AgentId;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** The hosts that carry out what this controller asks. */
public final class ManageAgents {
    private final Inventory inventory;
    private final Agents agents;

    ManageAgents(Inventory inventory, Agents agents) {
        this.inventory = inventory;
        this.agents = agents;
    }

    /** In order of id. */
    public List<Agents.Seen> all() {
        return agents.all().stream()
                .sorted(Comparator.comparing(seen -> seen.agent().id()))
                .toList();
    }

    public int enrolledCount() {
        return agents.all().size();
    }

    public int connectedCount() {
        return (int) agents.all().stream()
                .filter(seen -> seen.connection().isPresent())
                .count();
    }

    /** @throws ControlException NotFound */
    public Agents.Seen find(AgentId id) throws ControlException {
        return agents.find(id).orElseThrow(() -> missing(id));
    }

    private static ControlException missing(AgentId id) {
        return new ControlException(new ControlError.NotFound("agent", id.value()));
    }

    /** @throws ControlException AlreadyExists, Invalid */
    public Agents.Invitation invite(AgentId id, boolean replaces, Duration validFor) throws ControlException {
        if (!replaces && agents.find(id).isPresent()) {
            throw new ControlException(new ControlError.AlreadyExists("agent", id.value()));
        }
        try {
            return agents.invite(id, replaces, validFor);
        } catch (IllegalArgumentException e) {
            throw new ControlException(new ControlError.Invalid(
                    "validMillis",
                    Long.toString(validFor.toMillis()),
                    String.valueOf(e.getMessage()),
                    "1 minute to 7 days"));
        }
    }

    /** @throws ControlException InUse while a group or a recovery point has volumes there; NotFound */
    public void remove(AgentId id) throws ControlException {
        Optional<String> cursor = Optional.empty();
        do {
            var page = inventory.groups(cursor, 1_000);
            for (var group : page.items()) {
                if (group.volumes().stream().anyMatch(volume -> volume.agent().equals(Optional.of(id.value())))) {
                    throw new ControlException(new ControlError.InUse("agent", id.value(), "group " + group.id()));
                }
            }
            cursor = page.next();
        } while (cursor.isPresent());
        cursor = Optional.empty();
        do {
            var page = inventory.recoveryPoints(Optional.empty(), cursor, 1_000);
            for (var point : page.items()) {
                if (point.members().stream()
                        .anyMatch(member -> member.volume().agent().equals(Optional.of(id.value())))) {
                    throw new ControlException(
                            new ControlError.InUse("agent", id.value(), "recovery point " + point.id()));
                }
            }
            cursor = page.next();
        } while (cursor.isPresent());
        if (!agents.remove(id)) {
            throw missing(id);
        }
    }
}

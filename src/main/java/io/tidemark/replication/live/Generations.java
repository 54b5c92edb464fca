package io.tidemark.replication.live;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * What one copy of a volume knows of its content's history; kept beside it, durable before the write that it is about.
 * DRBD's generation identifiers, but for the bases: of one peer there may be several, for after a connection was lost
 * nobody knows whether the peer had come to the end of its resync.
 *
 * @param current empty: the copy was made and never written
 * @param bases for each peer that lacks something: where it may stand; the dirty bits kept for it hold all that was
 *     written since the oldest of them. Oldest first, 1 to {@link #BASES_MAXIMUM}
 * @param history generations that its content has come from, newest first, up to {@link #HISTORY_MAXIMUM}
 */
public record Generations(Optional<Generation> current, Map<CopyId, List<Generation>> bases, List<Generation> history) {
    /** Of DRBD 9 (HISTORY_UUIDS). */
    public static final int HISTORY_MAXIMUM = 32;
    /** Connections lost in a row, each with a write after it and no resync that ended between. */
    public static final int BASES_MAXIMUM = 8;

    public Generations {
        bases = bases.entrySet().stream()
                .collect(
                        TreeMap::new, (all, each) -> all.put(each.getKey(), List.copyOf(each.getValue())), Map::putAll);
        history = List.copyOf(history);
        if (history.size() > HISTORY_MAXIMUM || bases.values().stream().anyMatch(Generations::isOutOfBounds)) {
            throw new IllegalArgumentException("generations beyond their limits: %s, %s".formatted(bases, history));
        }
        if (current.isEmpty() && !(bases.isEmpty() && history.isEmpty())) {
            throw new IllegalArgumentException("a copy that was never written has a history");
        }
    }

    private static boolean isOutOfBounds(List<Generation> bases) {
        return bases.isEmpty() || bases.size() > BASES_MAXIMUM;
    }

    /** Of a copy that was just made. */
    public static Generations none() {
        return new Generations(Optional.empty(), Map.of(), List.of());
    }

    /** Where the peer may stand; empty: nowhere that is known, or it is in step. */
    public List<Generation> basesOf(CopyId peer) {
        return bases.getOrDefault(peer, List.of());
    }

    /**
     * Before the first write after the connection to these peers was lost, or after a start without them: what they have
     * stays what it was, and what is written from here on is another generation. Of a copy that was never written, with no
     * base, for nothing is known of the peers' content.
     *
     * @param fresh drawn at random
     */
    public Generations written(Set<CopyId> absent, Generation fresh) {
        var changed = new TreeMap<>(bases);
        var past = new ArrayList<>(history);
        current.ifPresent(before -> {
            past.addFirst(before);
            for (var peer : absent) {
                var known = new ArrayList<>(basesOf(peer));
                known.remove(before);
                known.addLast(before);
                // One that is forgotten costs a full resync where the peer stands there: it is in the history.
                if (known.size() > BASES_MAXIMUM) {
                    known.removeFirst();
                }
                changed.put(peer, known);
            }
        });
        return new Generations(Optional.of(fresh), changed, shortened(past));
    }

    /** The peer has all that this copy has, durably. */
    public Generations inStepWith(CopyId peer) {
        var rest = new TreeMap<>(bases);
        rest.remove(peer);
        return new Generations(current, rest, history);
    }

    /**
     * A resync from the source has ended, and all of it is durable here: this copy is what the source is. Who adopts other
     * peers' bases adds the source's dirty bits for them to its own first.
     *
     * @param self what the source calls this copy
     */
    public static Generations adopted(Generations source, CopyId self) {
        return source.inStepWith(self);
    }

    /**
     * Somebody chose the peer's history: this copy goes back to where the two have come apart, with the dirty bits since.
     *
     * @param self what this copy is called
     * @param peer the other's generations
     */
    public Generations yieldedTo(CopyId self, Generations peer, CopyId id) {
        var common = new ArrayList<>(basesOf(id));
        current.ifPresent(common::add);
        var theirs = new ArrayList<>(peer.basesOf(self));
        peer.current().ifPresent(theirs::add);
        common.retainAll(theirs);
        return common.isEmpty() ? none() : new Generations(Optional.of(common.getLast()), Map.of(), history);
    }

    private static List<Generation> shortened(List<Generation> past) {
        return new LinkedHashSet<>(past).stream().limit(HISTORY_MAXIMUM).toList();
    }
}

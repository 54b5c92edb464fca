package io.tidemark.replication;

import io.tidemark.replication.protocol.IngestTotals;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;

/**
 * What a target has received and not yet written, in order. While the disk is behind, two syncs become one. Of one
 * thread, or guarded by its owner.
 *
 * @param <A> what is to be appended
 */
public final class IngestQueue<A> {

    public sealed interface Task<A> {}

    public record Append<A>(A blocks) implements Task<A> {}

    /** Everything appended before it is to be made durable; its answer covers the one that was left out, too. */
    public record Sync<A>(IngestTotals totals) implements Task<A> {}

    private final ArrayDeque<Task<A>> tasks = new ArrayDeque<>();
    private int syncs;
    private int appends;
    private boolean leftOne;

    public void append(A blocks) {
        tasks.add(new Append<>(blocks));
        appends++;
    }

    public void sync(IngestTotals totals) {
        tasks.add(new Sync<>(totals));
        syncs++;
    }

    /**
     * What is to be done now; empty when nothing waits. A sync is left out when another one waits behind it: one for
     * both costs the disk less. Not twice in a row: behind such a disk there is always another, and the source waits
     * for answers.
     */
    public Optional<Task<A>> next() {
        for (var task = tasks.poll(); task != null; task = tasks.poll()) {
            if (task instanceof Append<A>) {
                appends--;
                return Optional.of(task);
            }
            syncs--;
            leftOne = !leftOne && syncs > 0;
            if (!leftOne) {
                return Optional.of(task);
            }
        }
        return Optional.empty();
    }

    public boolean isEmpty() {
        return tasks.isEmpty();
    }

    /** Blocks that wait; each has a buffer of its own. */
    public int appends() {
        return appends;
    }

    /** Nothing of it is wanted any more; what was to be appended. */
    public List<A> discard() {
        var dropped = tasks.stream()
                .filter(Append.class::isInstance)
                .map(task -> ((Append<A>) task).blocks())
                .toList();
        tasks.clear();
        appends = 0;
        syncs = 0;
        return dropped;
    }
}

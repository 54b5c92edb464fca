package io.tidemark.simulation;

import io.tidemark.replication.IngestQueue;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.TargetInput;
import io.tidemark.replication.protocol.IngestTotals;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.ProviderException;
import org.jspecify.annotations.Nullable;

/**
 * The thread that writes and syncs what a session has received, as {@code agent.IngestWriter}: later than it arrives,
 * and several syncs in one where the disk is slow.
 */
final class SimulatedIngest extends Worker {
    private final SimulatedTarget target;
    private final IngestQueue<Message.Blocks> queue = new IngestQueue<>();
    private TargetSessions.@Nullable Session session;
    private boolean failed;

    SimulatedIngest(SimulatedHost host, SimulatedTarget target) {
        super(host);
        this.target = target;
    }

    void begin(TargetSessions.Session begun) {
        close();
        session = begun;
    }

    void append(Message.Blocks blocks) {
        if (!failed) {
            queue.append(blocks);
            wake();
        }
    }

    void sync(IngestTotals totals) {
        if (!failed) {
            queue.sync(totals);
            wake();
        }
    }

    boolean busy() {
        return !queue.isEmpty();
    }

    boolean failed() {
        return failed;
    }

    /** What is queued is dropped. */
    void close() {
        queue.discard();
        session = null;
        failed = false;
    }

    @Override
    boolean hasWork() {
        return busy();
    }

    @Override
    int slownessMillis() {
        return super.slownessMillis() + world.hazards().slowDiskMillis();
    }

    @Override
    void workOnce() {
        var task = queue.next().orElseThrow();
        var told = session;
        world.mayCrash();
        note(task);
        try {
            switch (task) {
                case IngestQueue.Append<Message.Blocks>(var blocks) -> target.append(blocks);
                case IngestQueue.Sync<Message.Blocks>(var totals) -> {
                    target.sync(totals);
                    answer(told, new TargetInput.LogSynced(acknowledged(totals)));
                }
            }
        } catch (ProviderException e) {
            fail(told, new ReplicationError.Storage(e.error()));
        } catch (ReplicationException e) {
            fail(told, e.error());
        }
        target.wake();
    }

    private IngestTotals acknowledged(IngestTotals synced) {
        return target.acknowledged(synced);
    }

    private void fail(TargetSessions.@Nullable Session told, ReplicationError error) {
        failed = true;
        queue.discard();
        answer(told, new TargetInput.Failed(error));
    }

    private static void answer(TargetSessions.@Nullable Session told, TargetInput answer) {
        if (told != null) {
            told.inputs.add(answer);
        }
    }

    @Override
    void forget() {
        close();
    }

    @Override
    void restarted() {}

    @Override
    Object state() {
        return "ingest";
    }
}

package io.tidemark.provider.btrfs;

import io.tidemark.spi.FileTrees.SnapshotTree;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/** Trees of snapshots that are open. Guarded by itself. */
final class OpenTrees {
    private final Map<SnapshotId, Integer> open = new HashMap<>();

    synchronized SnapshotTree open(SnapshotId snapshot, Path root) {
        open.merge(snapshot, 1, Integer::sum);
        var closed = new AtomicBoolean();
        return new SnapshotTree() {
            @Override
            public Path root() {
                return root;
            }

            @Override
            public void close() {
                if (closed.compareAndSet(false, true)) {
                    closed(snapshot);
                }
            }
        };
    }

    private synchronized void closed(SnapshotId snapshot) {
        open.computeIfPresent(snapshot, (_, count) -> count == 1 ? null : count - 1);
    }

    synchronized void refuseWhileOpen(SnapshotId snapshot) throws ProviderException {
        if (open.containsKey(snapshot)) {
            throw BtrfsErrors.busy("snapshot " + snapshot, "a reader of its files in this process");
        }
    }

    synchronized void close() {
        open.clear();
    }
}

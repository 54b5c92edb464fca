package io.tidemark.spi;

import java.util.List;
import java.util.Optional;

/** One page of snapshots in order of id; {@code nextCursor} is empty on the last page. */
public record SnapshotPage(List<Snapshot> snapshots, Optional<String> nextCursor) {
    public SnapshotPage {
        snapshots = List.copyOf(snapshots);
    }
}

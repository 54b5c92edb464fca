package io.tidemark.spi;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** One page of snapshots in order of id; {@code nextCursor} is empty on the last page. */
public record SnapshotPage(List<Snapshot> snapshots, Optional<String> nextCursor) {
    public SnapshotPage {
        snapshots = List.copyOf(snapshots);
    }

    /**
     * Of a storage that reports all it has at once.
     *
     * @param all in order of id
     */
    public static SnapshotPage of(SnapshotQuery query, Stream<Snapshot> all) {
        var order = Comparator.comparing(SnapshotId::volume).thenComparing(SnapshotId::recoveryPoint);
        var after = query.cursor().map(SnapshotId::parse);
        var found = all.filter(
                        each -> query.volume().map(each.id().volume()::equals).orElse(true))
                .filter(each -> query.recoveryPoint()
                        .map(each.id().recoveryPoint()::equals)
                        .orElse(true))
                .filter(each -> after.isEmpty() || order.compare(each.id(), after.get()) > 0)
                .limit(query.limit() + 1L)
                .toList();
        if (found.size() <= query.limit()) {
            return new SnapshotPage(found, Optional.empty());
        }
        var page = found.subList(0, query.limit());
        return new SnapshotPage(page, Optional.of(page.getLast().id().toString()));
    }
}

package io.tidemark.control.document;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.spi.FastRestores.FastRestore;
import io.tidemark.spi.SnapshotArchives.Tier;
import io.tidemark.spi.SnapshotArchives.TierState;
import io.tidemark.spi.SnapshotLocks.SnapshotLock;
import java.util.List;
import java.util.Optional;

/**
 * What its storage does with one snapshot besides keeping it; empty of what the storage has not.
 *
 * @param fastRestoreCost what they cost, where there are any
 * @param untold what could not be asked, and why
 */
public record SnapshotProtection(
        Optional<SnapshotLock> lock,
        Optional<TierState> tier,
        List<FastRestore> fastRestores,
        Optional<String> fastRestoreCost,
        List<String> untold) {

    public SnapshotProtection {
        fastRestores = List.copyOf(fastRestores);
        untold = List.copyOf(untold);
    }

    /** Adds it to the snapshot's document. */
    public ObjectNode addedTo(ObjectNode document) {
        lock.ifPresent(held -> {
            var node = document.putObject("lock")
                    .put("mode", held.mode().name())
                    .put("until", held.until().toString());
            held.fixedAt().ifPresent(at -> node.put("fixedAt", at.toString()));
        });
        tier.ifPresent(state -> {
            var node = document.putObject("tier").put("state", state.tier().name());
            if (state.tier() == Tier.ARCHIVING || state.tier() == Tier.RESTORING) {
                node.put("percent", Math.round(state.progress() * 100));
            }
            state.until().ifPresent(at -> node.put("until", at.toString()));
            state.failure().ifPresent(why -> node.put("failure", why));
        });
        if (!fastRestores.isEmpty()) {
            var node = document.putObject("fastRestore");
            var zones = node.putArray("zones");
            fastRestores.forEach(each -> zones.addObject()
                    .put("zone", each.zone())
                    .put("state", each.state().name()));
            fastRestoreCost.ifPresent(cost -> node.put("cost", cost));
        }
        if (!untold.isEmpty()) {
            var node = document.putArray("untold");
            untold.forEach(node::add);
        }
        return document;
    }
}

package io.tidemark.cli;

import io.tidemark.client.Json;
import java.util.ArrayDeque;
import java.util.Deque;

/** A live link as a line in DRBD's words; who looks at it again and again is told how fast a resync is. */
final class LiveLines {
    /** Of which a rate is the mean: one alone jumps with each flush of the target. */
    private static final int LOOKS_MAXIMUM = 10;

    private static final double NANOS = 1e9;

    private final Deque<Look> looks = new ArrayDeque<>();

    private record Look(String replication, long moved, long nanos) {}

    /** @param nanos of a clock that never goes back */
    String next(Json link, long nanos) {
        var replication = link.at("replication").text();
        boolean isSource = replication.equals("SYNC_SOURCE");
        long left = isSource && !link.at("resync").missing()
                ? link.at("resync", "leftBytes").number()
                : 0;
        look(new Look(replication, isSource ? -left : received(link), nanos));
        var text = new StringBuilder("role:%s disk:%s replication:%s dirty:%s"
                .formatted(
                        link.at("role").text(),
                        link.at("disk").text(),
                        replication,
                        Units.size(link.at("dirtyBytes").number())));
        if (!link.at("bufferUsedBytes").missing()) {
            text.append(" buffer:%s of %s"
                    .formatted(
                            Units.size(link.at("bufferUsedBytes").number()),
                            Units.size(link.at("bufferBytes").number())));
        }
        if (!link.at("generation").missing()) {
            text.append(" generation:").append(link.at("generation").text());
        }
        if (replication.startsWith("SYNC_")) {
            resync(text, link, left);
        }
        if (!link.at("why").missing()) {
            text.append(" why:\"").append(link.at("why").text()).append('"');
        }
        if (!link.at("apart").missing()) {
            apart(text, "here", link.at("apart", "local"));
            apart(text, "peer", link.at("apart", "peer"));
        }
        return text.toString();
    }

    /** What one of two that were written apart has that the other lacks. */
    private static void apart(StringBuilder text, String name, Json side) {
        text.append(" %s:\"%s%s generation %s %s\""
                .formatted(
                        name,
                        Units.size(side.at("dirtyBytes").number()),
                        side.at("since").missing()
                                ? ""
                                : " since " + side.at("since").text(),
                        side.at("generation").missing()
                                ? "none"
                                : side.at("generation").text(),
                        side.at("role").text()));
    }

    private static long received(Json link) {
        return link.at("traffic").missing()
                ? 0
                : link.at("traffic", "received", "resyncBytes").number();
    }

    private void look(Look now) {
        if (!looks.isEmpty() && !looks.getLast().replication().equals(now.replication())) {
            looks.clear();
        }
        looks.addLast(now);
        if (looks.size() > LOOKS_MAXIMUM) {
            looks.removeFirst();
        }
    }

    /** What is left is known at the source alone. */
    private void resync(StringBuilder text, Json link, long left) {
        if (!link.at("resync").missing()) {
            text.append(" done:%s"
                    .formatted(Units.size(link.at("resync", "doneBytes").number())));
        }
        long nanos = looks.getLast().nanos() - looks.getFirst().nanos();
        long moved = looks.getLast().moved() - looks.getFirst().moved();
        if (nanos <= 0 || moved <= 0) {
            return;
        }
        double rate = moved / (nanos / NANOS);
        text.append(" resync:%s/s".formatted(Units.size(Math.round(rate))));
        if (left > 0) {
            text.append(" left:%d s".formatted((long) Math.ceil(left / rate)));
        }
    }
}

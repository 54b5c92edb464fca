package io.tidemark.control.document;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.control.port.LiveHost;
import io.tidemark.replication.live.DirtyBitmap;
import io.tidemark.replication.live.LiveFigures;
import io.tidemark.replication.live.LiveMessage;
import io.tidemark.replication.live.LiveStatus;
import java.time.Instant;

/** Live links as JSON. */
public final class LiveDocuments {
    private LiveDocuments() {}

    /** A live link in DRBD's words: role, disk state, replication state. */
    public static ObjectNode of(LiveHost.Live live) {
        var link = live.link();
        var document = Json.object();
        document.put("id", link.id().value());
        document.put("peer", link.peer().value());
        document.put("volume", link.localVolume().value());
        document.put("peerVolume", link.peerVolume().value());
        document.put("sizeBytes", link.sizeBytes());
        document.put("protocol", link.terms().protocol().name());
        document.put("congestion", link.terms().congestion().name());
        document.put("bufferBytes", link.terms().bufferBytes());
        document.put("activityLogExtents", link.terms().activityLogExtents());
        document.put("resyncFloorBytes", link.terms().resyncFloorBytes());
        document.put("resyncCeilingBytes", link.terms().resyncCeilingBytes());
        document.put("compare", link.terms().isComparing());
        document.put(
                "afterSplitBrain", link.terms().afterSplitBrain().noPrimary().name());
        document.put(
                "afterSplitBrainPrimary",
                link.terms().afterSplitBrain().onePrimary().name());
        document.put("createdAt", link.createdAt().toString());
        document.put("connects", link.connects());
        var status = live.status();
        document.put("role", status.map(each -> each.role().name()).orElse("SECONDARY"));
        document.put("disk", status.map(each -> each.disk().name()).orElse("FAILED"));
        document.put(
                "replication", status.map(each -> each.replication().name()).orElse("OFF"));
        document.put(
                "dirtyBytes",
                status.map(each -> each.dirtyBlocks() * DirtyBitmap.BLOCK_BYTES).orElse(0L));
        status.flatMap(LiveStatus::verify)
                .ifPresent(verify -> document.putObject("verify")
                        .put("state", verify.state().name())
                        .put("comparedBytes", verify.comparedBlocks() * DirtyBitmap.BLOCK_BYTES)
                        .put("outOfSyncBytes", verify.outOfSyncBlocks() * DirtyBitmap.BLOCK_BYTES));
        if (!live.why().isEmpty()) {
            document.put("why", live.why());
        }
        live.export().ifPresent(export -> document.put("export", export.value()));
        live.peerAddress().ifPresent(address -> document.put("peerAddress", address));
        live.kept().ifPresent(point -> document.put("keptRecoveryPoint", point.value()));
        live.figures().ifPresent(figures -> figures(document, figures));
        document.putObject("traffic")
                .put("sessions", live.traffic().sessions())
                .<ObjectNode>set("sent", carried(live.traffic().sent()))
                .set("received", carried(live.traffic().received()));
        return document;
    }

    private static void figures(ObjectNode document, LiveFigures figures) {
        figures.generation().ifPresent(generation -> document.put("generation", generation.toString()));
        document.put("bufferUsedBytes", figures.unconfirmedBytes());
        figures.resync()
                .ifPresent(resync -> document.putObject("resync")
                        .put("doneBytes", resync.doneBlocks() * DirtyBitmap.BLOCK_BYTES)
                        .put("leftBytes", resync.leftBlocks() * DirtyBitmap.BLOCK_BYTES));
        figures.apart().ifPresent(apart -> {
            var node = document.putObject("apart");
            var here = apart(node.putObject("local"), apart.self());
            var ranges = here.putArray("ranges");
            for (var run : apart.here()) {
                ranges.addObject()
                        .put("offsetBytes", run.first() * DirtyBitmap.BLOCK_BYTES)
                        .put("lengthBytes", (long) run.count() * DirtyBitmap.BLOCK_BYTES);
            }
            apart(node.putObject("peer"), apart.peer());
        });
    }

    /** What one side has that the other lacks, as it said when they met. */
    private static ObjectNode apart(ObjectNode node, LiveMessage.Hello side) {
        node.put("role", side.role().name());
        side.generations().current().ifPresent(generation -> node.put("generation", generation.toString()));
        if (side.apart().since() > 0) {
            node.put("since", Instant.ofEpochMilli(side.apart().since()).toString());
        }
        return node.put("dirtyBytes", side.apart().dirtyBlocks() * DirtyBitmap.BLOCK_BYTES);
    }

    private static ObjectNode carried(LiveHost.Carried carried) {
        return Json.object()
                .put("writeBytes", carried.writeBytes())
                .put("resyncBytes", carried.resyncBytes())
                .put("comparedBytes", carried.comparedBytes());
    }

    public static ObjectNode change(LiveHost.Change change) {
        return Json.object()
                .put("number", change.number())
                .put("at", change.at().toString())
                .put("what", change.aspect().name())
                .put("from", change.from())
                .put("to", change.to());
    }

    /** One of which no more is known than where it lies. */
    public static ObjectNode unread(LiveHost.Unread link) {
        return Json.object()
                .put("id", link.id().value())
                .put("folder", link.folder())
                .put("why", link.reason());
    }
}

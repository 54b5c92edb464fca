package io.tidemark.control.document;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.agent.Replicator.VerifyReport;
import io.tidemark.agent.remote.Agents;
import io.tidemark.consistency.RecoveryPointPlan;
import io.tidemark.control.port.ExportHost;
import io.tidemark.domain.Certificate;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.Operation;
import io.tidemark.domain.Peer;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.domain.SyncReport;
import io.tidemark.domain.TrackingAudit;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.StorageReplication;
import io.tidemark.spi.Volume;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;

/** Domain values as documents of the API; the schemas of the same names are in {@code openapi/tidemark-v1.yaml}. */
public final class Documents {
    private static final long NANOS_PER_MILLI = 1_000_000;

    private Documents() {}

    public static ObjectNode tracking(TrackingAudit audit) {
        var node = Json.object()
                .put("volume", audit.volume().value())
                .put("trusted", audit.distrust().isEmpty())
                .put("auditedThroughBytes", audit.throughBytes());
        if (audit.movedAt().isAfter(Instant.EPOCH)) {
            node.put("auditedAt", audit.movedAt().toString());
            node.put("roundStartedAt", audit.roundStartedAt().toString());
        }
        audit.distrust()
                .ifPresent(found -> node.putObject("leftOut")
                        .put("source", found.source())
                        .put("older", found.older().value())
                        .put("newer", found.newer().value())
                        .put("offsetBytes", found.offsetBytes())
                        .put("lengthBytes", found.lengthBytes())
                        .put("foundAt", found.foundAt().toString()));
        return node;
    }

    public static ObjectNode storageReplication(StorageReplication.Status status) {
        var node = Json.object()
                .put("volume", status.volume().value())
                .put("state", status.state().name())
                .put("costOfStop", status.costOfStop());
        texts(node, "partners", status.partners());
        texts(node, "groups", status.groups());
        return node;
    }

    public static ObjectNode volume(Volume volume) {
        var document = Json.object();
        document.put("id", volume.id().value());
        document.put("sizeBytes", volume.sizeBytes());
        texts(document, "capabilities", volume.capabilities().stream().sorted().toList());
        volume.device().ifPresent(device -> document.put("device", device.toString()));
        texts(document, "mountPoints", volume.mountPoints());
        facts(document, "facts", volume.facts());
        return document;
    }

    public static ObjectNode snapshot(Snapshot snapshot) {
        var document = Json.object();
        document.put("id", snapshot.id().toString());
        document.put("volume", snapshot.id().volume().value());
        document.put("recoveryPoint", snapshot.id().recoveryPoint().value());
        document.put("sizeBytes", snapshot.sizeBytes());
        document.put("createdAt", snapshot.createdAt().toString());
        return document;
    }

    /** With whether it can be read yet, which in a cloud may take hours. */
    public static ObjectNode snapshot(Snapshot snapshot, Readiness readiness) {
        var document = snapshot(snapshot);
        var readable = document.putObject("readable");
        switch (readiness) {
            case Readiness.Ready() -> readable.put("state", "READY");
            case Readiness.Pending(var progress, var unused) ->
                readable.put("state", "PENDING").put("percent", Math.round(progress * 100));
            case Readiness.Failed(var error) -> readable.put("state", "FAILED").put("reason", error.message());
        }
        return document;
    }

    public static ObjectNode export(ExportHost.Open open) {
        var document = Json.object();
        document.put("id", open.export().id().value());
        document.put("source", open.export().source());
        document.put("access", open.export().access().name());
        document.put("sizeBytes", open.sizeBytes());
        document.put("createdAt", open.export().createdAt().toString());
        document.put("connectionCount", open.connectionCount());
        document.put("overlayBytes", open.ownBytes());
        document.put("ending", open.ending());
        document.put("away", open.away());
        document.put("uri", open.uris().isEmpty() ? "" : open.uris().getFirst());
        texts(document, "uris", open.uris());
        return document;
    }

    public static ObjectNode group(ConsistencyGroup group) {
        var document = Json.object();
        document.put("id", group.id().value());
        texts(document, "volumes", group.volumes());
        var quiescers = document.putArray("quiescers");
        for (var quiescer : group.quiescers()) {
            facts(quiescers.addObject().put("kind", quiescer.kind()), "settings", quiescer.settings());
        }
        document.put("freezeFileSystems", group.freezeFileSystems());
        document.put("freezeLimitMillis", group.freezeLimit().toMillis());
        document.put("requireConsistency", group.requireConsistency().name());
        return document;
    }

    public static ObjectNode plan(RecoveryPointPlan plan) {
        var document = Json.object();
        document.put("group", plan.group().id().value());
        texts(document, "steps", plan.steps());
        document.put("expectedConsistency", plan.expected().name());
        document.put("expectedFreezeMillis", millisUp(plan.expectedFreeze()));
        texts(document, "fileSystems", plan.fileSystems());
        texts(document, "warnings", plan.warnings());
        return document;
    }

    /** Without certificate and evidence, for lists. */
    public static ObjectNode recoveryPointSummary(RecoveryPoint point) {
        var document = Json.object();
        document.put("id", point.id().value());
        document.put("group", point.group().value());
        document.put("createdAt", point.createdAt().toString());
        document.put("consistency", point.consistency().name());
        var members = document.putArray("members");
        for (var member : point.members()) {
            members.addObject()
                    .put("volume", member.volume().value())
                    .put("snapshot", member.snapshot().toString())
                    .put("sizeBytes", member.sizeBytes());
        }
        point.freezeWindowNanos()
                .ifPresent(nanos -> document.put("freezeWindowMillis", millisUp(Duration.ofNanos(nanos))));
        point.receivedOver().ifPresent(link -> document.put("receivedOver", link.value()));
        return document;
    }

    public static ObjectNode recoveryPoint(RecoveryPoint point) {
        var document = recoveryPointSummary(point);
        document.set("certificate", certificate(point.certificate()));
        facts(document, "evidence", point.evidence());
        point.attestation().ifPresent(attestation -> document.put("attestation", attestation));
        if (!point.hosts().isEmpty()) {
            var hosts = document.putArray("hosts");
            for (var host : point.hosts()) {
                hosts.addObject().put("agent", host.agent()).set("recoveryPoint", recoveryPoint(host.point()));
            }
        }
        return document;
    }

    public static ObjectNode agent(Agents.Seen seen) {
        var document = Json.object()
                .put("id", seen.agent().id().value())
                .put("fingerprint", seen.agent().fingerprint())
                .put("enrolledAt", seen.agent().enrolledAt().toString())
                .put("state", seen.connection().isPresent() ? "CONNECTED" : "LOST");
        seen.connection().ifPresent(connection -> {
            document.put("address", connection.address());
            document.put("software", connection.software());
            document.put("connectedAt", connection.since().toString());
            document.put("silentMillis", connection.silent().toMillis());
            texts(document, "providers", connection.providers());
        });
        return document;
    }

    private static ObjectNode certificate(Certificate certificate) {
        var document = Json.object();
        document.put("host", certificate.host());
        document.put("bootId", certificate.bootId());
        document.put("atomicCut", certificate.atomicCut());
        texts(document, "reasons", certificate.reasons());
        var freezes = document.putArray("freezes");
        for (var freeze : certificate.freezes()) {
            var one = freezes.addObject()
                    .put("kind", freeze.kind())
                    .put("subject", freeze.subject())
                    .put("requestedNanos", freeze.requestedNanos())
                    .put("acknowledgedNanos", freeze.acknowledgedNanos())
                    .put("thawedNanos", freeze.thawedNanos())
                    .put("releasedNanos", freeze.releasedNanos())
                    .put("heldUntilThaw", freeze.heldUntilThaw());
            facts(one, "facts", freeze.facts());
        }
        var cuts = document.putArray("cuts");
        for (var cut : certificate.cuts()) {
            cuts.addObject()
                    .put("snapshot", cut.snapshot().toString())
                    .put("startedNanos", cut.startedNanos())
                    .put("finishedNanos", cut.finishedNanos());
        }
        certificate.order().ifPresent(order -> {
            var together = document.putObject("order")
                    .put("agent", order.agent())
                    .put("frozenMark", order.frozenMark())
                    .put("cutMark", order.cutMark());
            facts(together, "frozenBefore", order.frozenBefore());
            facts(together, "cutBefore", order.cutBefore());
        });
        return document;
    }

    public static ObjectNode peer(Peer peer) {
        return Json.object()
                .put("id", peer.id().value())
                .put("address", peer.address())
                .put("fingerprint", peer.fingerprint())
                .put("pairedAt", peer.pairedAt().toString());
    }

    public static ObjectNode link(ReplicationLink link) {
        var document = Json.object();
        document.put("id", link.id().value());
        document.put("role", link.role().name());
        document.put("peer", link.peer().value());
        document.put("group", link.group().value());
        document.put("volume", link.localVolume().value());
        document.put("peerVolume", link.peerVolume().value());
        link.every().ifPresent(every -> document.put("everyMillis", every.toMillis()));
        document.put("state", link.state().name());
        link.underway().ifPresent(point -> document.put("underway", point.value()));
        link.rates().bytesPerSecond().ifPresent(rate -> document.put("rateLimit", rate + "B/s"));
        if (!link.rates().windows().isEmpty()) {
            texts(document, "rateWindows", link.rates().windows());
        }
        if (link.onArrival()) {
            document.put("onArrival", true);
        }
        link.inStep().ifPresent(point -> document.put("inStep", point.value()));
        link.lastReport().ifPresent(report -> document.set("lastReport", syncReport(report)));
        return document;
    }

    public static ObjectNode syncReport(SyncReport report) {
        var document = Json.object();
        document.put("recoveryPoint", report.recoveryPoint().value());
        report.base().ifPresent(base -> document.put("base", base.value()));
        document.put("changedRangeSource", report.changedRangeSource());
        document.put("namedBytes", report.namedBytes());
        document.put("readBytes", report.readBytes());
        document.put("comparedBytes", report.comparedBytes());
        document.put("changedBytes", report.changedBytes());
        document.put("sentPayloadBytes", report.sentPayloadBytes());
        document.put("sentWireBytes", report.sentWireBytes());
        document.put("resumedBytes", report.resumedBytes());
        document.put("durationMillis", millisUp(report.duration()));
        return document;
    }

    public static ObjectNode verifyReport(VerifyReport report) {
        return Json.object()
                .put("recoveryPoint", report.recoveryPoint().value())
                .put("comparedBytes", report.comparedBytes())
                .put("differingBlocks", report.differingBlocks())
                .put("rootDigest", report.rootDigest());
    }

    public static ObjectNode operation(Operation operation) {
        var document = Json.object();
        document.put("id", operation.id().value());
        document.put("kind", operation.kind());
        document.put("subject", operation.subject());
        document.put("state", operation.state().name());
        document.put("step", operation.step());
        document.putObject("progress")
                .put("phase", operation.progress().phase())
                .put("doneUnits", operation.progress().doneUnits())
                .put("totalUnits", operation.progress().totalUnits())
                .put("unit", operation.progress().unit());
        document.set("request", Json.object(operation.requestJson()));
        operation.resultJson().ifPresent(result -> document.set("result", Json.object(result)));
        operation.problemJson().ifPresent(problem -> document.set("problem", Json.object(problem)));
        document.put("createdAt", operation.createdAt().toString());
        document.put("updatedAt", operation.updatedAt().toString());
        return document;
    }

    private static void texts(ObjectNode document, String field, Collection<?> values) {
        ArrayNode array = document.putArray(field);
        values.forEach(value -> array.add(value.toString()));
    }

    private static void facts(ObjectNode document, String field, Map<String, String> values) {
        var object = document.putObject(field);
        new TreeMap<>(values).forEach(object::put);
    }

    /** Rounded up: a freeze of 0.2 ms is not none. */
    private static long millisUp(Duration duration) {
        return Math.ceilDiv(duration.toNanos(), NANOS_PER_MILLI);
    }
}

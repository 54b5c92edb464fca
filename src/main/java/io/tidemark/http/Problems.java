package io.tidemark.http;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.control.ControlError;
import io.tidemark.control.ControlException;
import io.tidemark.control.ProblemWriter;
import io.tidemark.control.document.Json;
import io.tidemark.control.port.StateException;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.time.Duration;

/** Errors as problem documents. The only place that knows HTTP statuses of errors. */
public final class Problems {
    /** What a client is told to wait where the error itself does not know better. */
    private static final Duration RETRY_SOON = Duration.ofSeconds(5);

    private static final String CAUGHT = "synchronise again, which compares in full from now on; then verify the"
            + " volume's links, and resync those that differ: earlier synchronisations may have missed changes";

    private static final String OVERWRITE =
            "look at what the target has; resync the link to overwrite it, or make a link to a new volume";

    /** A right that is lacking is no fault of the site's: who asked is told it whole. */
    static final String STORAGE_DENIED = "storage-denied";

    private Problems() {}

    /** For operations, whose end is kept with its problem. */
    public static ProblemWriter writer() {
        return failure -> Json.write(of(failure).document());
    }

    static Problem of(Throwable failure) {
        return switch (failure) {
            case ProblemException request -> request.problem();
            case ControlException control -> of(control.error());
            case ProviderException provider -> of(provider.error());
            case ConsistencyException consistency -> of(consistency.error());
            case ReplicationException replication -> of(replication.error());
            case StateException state ->
                Problem.of(
                        500,
                        "state-unavailable",
                        "the site's own state cannot be read or written",
                        "look at the site's log; check space and health of the disk under state.folder");
            default ->
                Problem.of(
                        500,
                        "internal-error",
                        "the site failed at this request",
                        "look for the request id in the site's log and report it");
        };
    }

    static Problem of(ProviderError error) {
        return switch (error) {
            case ProviderError.VolumeNotFound e ->
                Problem.of(404, "volume-not-found", e.message(), "list volumes with GET /v1/volumes");
            case ProviderError.VolumeExists e ->
                Problem.of(409, "volume-exists", e.message(), "choose another id, or use the volume that is there");
            case ProviderError.SnapshotNotFound e ->
                Problem.of(404, "snapshot-not-found", e.message(), "list snapshots with GET /v1/snapshots");
            case ProviderError.OutOfSpace e ->
                Problem.of(
                        507,
                        "out-of-space",
                        e.message(),
                        "extend the storage, or delete recovery points and snapshots");
            case ProviderError.Busy e ->
                Problem.of(
                                503,
                                "storage-busy",
                                e.message(),
                                "retry, or release it: unmount, detach, end the other user")
                        .retryAfter(e.retryAfter());
            case ProviderError.Held e ->
                Problem.of(409, "snapshot-held", e.message(), "delete the link that holds it, or let it move on");
            case ProviderError.Conflict e ->
                Problem.of(409, "storage-conflict", e.message(), "remove what stands in the way, then ask again");
            case ProviderError.Denied e ->
                Problem.of(
                        502,
                        STORAGE_DENIED,
                        e.message(),
                        "give Tidemark that right: on the volume's host, or in the account of its cloud, for which"
                                + " \"tidemark providers policy\" prints what is needed");
            case ProviderError.Corrupt e ->
                Problem.of(500, "storage-damaged", e.message(), "do not use it; restore from another recovery point");
            case ProviderError.Unreachable e ->
                Problem.of(
                                503,
                                "agent-unreachable",
                                e.message(),
                                "look whether its agent runs (tidemark agents list), or whether this host reaches its cloud")
                        .retryAfter(RETRY_SOON);
            case ProviderError.Unexpected e ->
                Problem.of(502, "provider-unexpected", e.message(), "see the site's log for the whole answer");
        };
    }

    static Problem of(ConsistencyError error) {
        return switch (error) {
            case ConsistencyError.UnknownQuiescer e ->
                Problem.of(422, "unknown-quiescer", e.message(), "replace the group with a quiescer kind that is known")
                        .about("quiescers.kind", e.kind(), e.known());
            case ConsistencyError.BadQuiescerSetting e ->
                Problem.of(422, "bad-quiescer-setting", e.message(), "replace the group with a right setting")
                        .about("quiescers.settings." + e.setting(), "", e.reason());
            case ConsistencyError.NotAchievable e ->
                Problem.of(
                        409,
                        "consistency-not-achievable",
                        e.message(),
                        "mend what the reason names, or lower requireConsistency of the group");
            case ConsistencyError.CutTooLong e ->
                Problem.of(
                        409,
                        "cut-too-long",
                        e.message(),
                        "raise freezeLimitMillis, or move the volume to storage that cuts faster");
            case ConsistencyError.WriteOutTooLong e ->
                Problem.of(
                                409,
                                "write-out-too-long",
                                e.message(),
                                "take it when less is written, raise freezeLimitMillis, or lower requireConsistency to CRASH")
                        .retryAfter(RETRY_SOON);
            case ConsistencyError.StandsOnIt e ->
                Problem.of(
                        409,
                        "stands-on-it",
                        e.message(),
                        "move the site's state and logs off that file system, or set freezeFileSystems to false");
            case ConsistencyError.FreezeFailed e ->
                Problem.of(502, "freeze-failed", e.message(), "check that it runs and that its account has the rights");
            case ConsistencyError.NotAchieved e ->
                Problem.of(409, "consistency-not-achieved", e.message(), "take it again; if it stays, mend the reason")
                        .retryAfter(RETRY_SOON);
            case ConsistencyError.VolumeUnknown e ->
                Problem.of(404, "volume-not-found", e.message(), "replace the group without it, or bring it back");
            case ConsistencyError.Cancelled e ->
                Problem.of(409, "cancelled", e.message(), "nothing was kept; ask again when it is wanted");
            case ConsistencyError.NotTogether e ->
                Problem.of(409, "not-together", e.message(), "look at the host that is named, then take it again")
                        .retryAfter(RETRY_SOON);
            case ConsistencyError.AgentUnreachable e ->
                Problem.of(503, "agent-unreachable", e.message(), "look whether the agent runs: tidemark agents list")
                        .retryAfter(RETRY_SOON);
            case ConsistencyError.Storage e -> of(e.error());
        };
    }

    static Problem of(ReplicationError error) {
        return switch (error) {
            case ReplicationError.PeerUnreachable e ->
                Problem.of(502, "peer-unreachable", e.message(), "check that the peer runs and its port can be reached")
                        .retryAfter(RETRY_SOON);
            case ReplicationError.ConnectionLost e ->
                Problem.of(502, "connection-lost", e.message(), "ask again: what the peer has is not sent twice")
                        .retryAfter(RETRY_SOON);
            case ReplicationError.PeerNotTrusted e ->
                Problem.of(
                        502,
                        "peer-not-trusted",
                        e.message(),
                        "if the peer was rebuilt, delete it here and pair again; else someone is in between");
            case ReplicationError.InvitationRefused e ->
                Problem.of(
                                422,
                                "invitation-refused",
                                e.message(),
                                "compare with GET /v1/peers, or make a new one with POST /v1/invitations there")
                        .about("token", "***", "a token that is unused and not expired");
            case ReplicationError.LinkUnknown e ->
                Problem.of(409, "link-unknown-to-peer", e.message(), "delete the link here and make it again");
            case ReplicationError.LinkPaused e ->
                Problem.of(409, "link-paused-at-peer", e.message(), "resume the link at the peer");
            case ReplicationError.NoTarget e ->
                Problem.of(
                        409,
                        "no-target",
                        e.message(),
                        "at the site whose data is the older: tidemark links reverse %s --follow".formatted(e.link()));
            case ReplicationError.NoCommonBase e -> Problem.of(409, "no-common-base", e.message(), OVERWRITE);
            case ReplicationError.Diverged e -> Problem.of(409, "diverged", e.message(), OVERWRITE);
            case ReplicationError.TargetWritten e -> Problem.of(409, "target-written", e.message(), OVERWRITE);
            case ReplicationError.TargetSmaller e ->
                Problem.of(409, "target-smaller", e.message(), "make a link to a larger volume on the peer");
            case ReplicationError.ProtocolMismatch e ->
                Problem.of(502, "protocol-mismatch", e.message(), "bring both sites to the same version");
            case ReplicationError.CorruptFrame e ->
                Problem.of(502, "corrupt-frame", e.message(), "ask again; if it stays, check the network")
                        .retryAfter(RETRY_SOON);
            case ReplicationError.StreamChanged e ->
                Problem.of(502, "stream-changed", e.message(), "ask again: it is sent from its beginning")
                        .retryAfter(RETRY_SOON);
            case ReplicationError.TrackingUntrusted e ->
                Problem.of(502, "tracking-untrusted", e.message(), CAUGHT).retryAfter(RETRY_SOON);
            case ReplicationError.ChecksumMismatch e ->
                Problem.of(502, "checksum-mismatch", e.message(), "verify the link and check memory and disks of both");
            case ReplicationError.PeerRefused e ->
                Problem.of(502, "peer-refused", e.message(), "look at the peer's log");
            case ReplicationError.LinkBusy e ->
                Problem.of(503, "link-busy", e.message(), "wait for the synchronisation that runs")
                        .retryAfter(e.retryAfter());
            case ReplicationError.Cancelled e ->
                Problem.of(409, "cancelled", e.message(), "ask again: what the peer has is not sent twice");
            case ReplicationError.Storage e -> of(e.error());
            case ReplicationError.State e ->
                Problem.of(500, "state-unavailable", e.message(), "check space and health of the disk under it");
        };
    }

    /** Where a list of that noun is. */
    private static String collection(String kind) {
        return switch (kind) {
            case "agent", "export", "group", "link", "operation", "peer", "snapshot", "volume" -> kind + "s";
            case "live link" -> "live-links";
            default -> "recovery-points";
        };
    }

    static Problem of(ControlError error) {
        return switch (error) {
            case ControlError.NotFound e -> of(e);
            case ControlError.AlreadyExists e ->
                Problem.of(409, e.kind().replace(' ', '-') + "-exists", e.message(), "use it, or choose another id");
            case ControlError.Invalid e ->
                Problem.of(400, "invalid-input", e.message(), "give %s as %s".formatted(e.field(), e.allowed()))
                        .about(e.field(), e.value(), e.allowed());
            case ControlError.InUse e ->
                Problem.of(
                        409,
                        "in-use",
                        e.message(),
                        "remove %s first; an operation: cancel it, or wait".formatted(e.by()));
            case ControlError.BeingDeleted e ->
                Problem.of(
                        409, "being-deleted", e.message(), "wait, or delete it again to hear what stands in the way");
            case ControlError.VolumeWritten e ->
                Problem.of(
                        409,
                        "volume-written",
                        e.message(),
                        "stop whoever writes to %s, then ask for the reversal again".formatted(e.volume()));
            case ControlError.LinkState e -> of(e);
            case ControlError.OfLive e -> of(e);
            case ControlError.Unsupported e ->
                Problem.of(
                        409, "unsupported", e.message(), "see the volume's capabilities; use other storage for this");
            case ControlError.IdempotencyMismatch e ->
                Problem.of(422, "idempotency-key-reused", e.message(), "use a new key for a new request")
                        .about("Idempotency-Key", e.key(), "a key that was not used in the last 24 hours");
            case ControlError.IdempotencyInFlight e ->
                Problem.of(409, "idempotency-key-in-flight", e.message(), "retry the same request in a moment")
                        .retryAfter(e.retryAfter());
            case ControlError.ShownOnce e ->
                Problem.of(409, "secret-shown-once", e.message(), "ask for a new one with a new key");
            case ControlError.OfRollback e -> of(e);
            case ControlError.LeftBehind e -> of(e);
            case ControlError.TooManyOperations e ->
                Problem.of(503, "too-many-operations", e.message(), "wait until some have ended")
                        .retryAfter(e.retryAfter());
            case ControlError.Interrupted e ->
                Problem.of(500, "interrupted", e.message(), "ask again: nothing of it was left")
                        .retryAfter(RETRY_SOON);
            case ControlError.Cancelled e ->
                Problem.of(409, "cancelled", e.message(), "nothing was kept; ask again when it is wanted");
            case ControlError.AlreadyEnded e ->
                Problem.of(409, "operation-ended", e.message(), "read its result with GET");
            case ControlError.AgentAway e -> of(e);
            case ControlError.StepTooLong e ->
                Problem.of(504, "storage-too-slow", e.message(), "look at the storage, then ask again");
            case ControlError.Stopping e -> of(e);
        };
    }

    private static Problem of(ControlError.LinkState error) {
        return Problem.of(
                409,
                "link-state",
                error.message(),
                switch (error.state()) {
                    case ACTIVE -> "ask at the side that this is for";
                    case PAUSED -> "resume the link first";
                    case DRAINING -> "wait for the reversal, or cancel its operation";
                    case HANDING_OVER -> "ask for the reversal again: it goes on where it was";
                });
    }

    private static Problem of(ControlError.NotFound error) {
        return Problem.of(
                404,
                error.kind().replace(' ', '-') + "-not-found",
                error.message(),
                "list what there is with GET /v1/%s".formatted(collection(error.kind())));
    }

    private static Problem of(ControlError.OfLive error) {
        return switch (error) {
            case ControlError.LiveRefused e ->
                Problem.of(
                        409,
                        "live-refused",
                        e.message(),
                        "look at both sides with GET /v1/live-links/%s".formatted(e.link()));
            case ControlError.LiveUnread e ->
                Problem.of(
                        409,
                        "live-unread",
                        e.message(),
                        "put %s right, or move it away where its copy is given up; then start the site again"
                                .formatted(e.folder()));
        };
    }

    private static Problem of(ControlError.LeftBehind error) {
        return switch (error) {
            case ControlError.CopyLeft e ->
                Problem.of(
                        502,
                        "copy-left",
                        e.message(),
                        "look whether it is there and wanted, and delete it where it is not: tidemark snapshots delete %s"
                                .formatted(e.copy()));
            case ControlError.LeftToStorage e ->
                Problem.of(
                        409,
                        "left-to-storage",
                        e.message(),
                        "look how it stands: tidemark volumes storage-replication %s".formatted(e.volume()));
        };
    }

    private static Problem of(ControlError.AgentAway error) {
        return Problem.of(
                503,
                "agent-away",
                error.message(),
                "bring the agent back, look at what there is, then ask again: tidemark agents list");
    }

    private static Problem of(ControlError.Stopping error) {
        return Problem.of(503, "stopping", error.message(), "ask again when the site is ready")
                .retryAfter(RETRY_SOON);
    }

    private static Problem of(ControlError.OfRollback error) {
        return switch (error) {
            case ControlError.NotClosed e ->
                Problem.of(
                        409,
                        "not-closed",
                        e.message(),
                        "close the volume (umount, losetup -d, vgchange of a group on it), then ask for the rollback again");
            case ControlError.PartlyRolledBack e ->
                Problem.of(
                        409,
                        "partly-rolled-back",
                        e.message(),
                        "do not use them together; mend the reason, then ask for the rollback again: it begins with the first volume, which loses what was written to it since");
            case ControlError.RollbackUnknown e ->
                Problem.of(
                        409,
                        "rollback-unknown",
                        e.message(),
                        "look at what %s holds; where that is not the recovery point, close it and ask for the rollback again"
                                .formatted(e.volume()));
            case ControlError.RollbackUntold e ->
                Problem.of(
                        409,
                        "rollback-unknown",
                        e.message(),
                        "look at what %s holds; where that is not the recovery point, ask for the rollback again"
                                .formatted(e.volume()));
            case ControlError.TooManyDeferred e ->
                Problem.of(
                        409,
                        "too-many-deferred",
                        e.message(),
                        "close the volumes of one, or end it with: tidemark operations cancel");
        };
    }

    static Problem noSuchPath(String path) {
        return Problem.of(
                404,
                "no-such-path",
                "path %s is not part of the API".formatted(path),
                "see openapi/tidemark-v1.yaml; percent-encode ids, and leave out a slash at the end");
    }

    static Problem methodNotAllowed(String method, String path, String allowed) {
        return Problem.of(405, "method-not-allowed", "%s has no method %s".formatted(path, method), "use " + allowed)
                .about("method", method, allowed);
    }

    static Problem notAcceptable(String accept, String offered) {
        return Problem.of(406, "not-acceptable", "the answer cannot be given as asked", "accept " + offered)
                .about("Accept", accept, offered);
    }

    static Problem unsupportedMediaType(String contentType) {
        return Problem.of(
                        415,
                        "unsupported-media-type",
                        "the body's type is not understood",
                        "send JSON with Content-Type: application/json")
                .about("Content-Type", contentType, "application/json");
    }

    static Problem unauthorized(String reason) {
        return Problem.of(
                401,
                "unauthorized",
                reason,
                "send Authorization: Bearer with a token; the first one is in admin.token of the state folder");
    }

    static Problem bodyTooLarge(long limitBytes) {
        return Problem.of(
                        413,
                        "body-too-large",
                        "the body is longer than %d bytes".formatted(limitBytes),
                        "send less, or raise http.requestBytesMaximum")
                .about("body", "", "at most %d bytes".formatted(limitBytes));
    }

    static Problem malformedRequest(int status, String reason) {
        return Problem.of(status, "malformed-request", reason, "send a well-formed HTTP/1.1 request within its limits");
    }

    static Problem invalid(String field, String value, String reason, String allowed) {
        return Problem.of(
                        400,
                        "invalid-input",
                        "%s %s".formatted(field, reason),
                        "give %s as %s".formatted(field, allowed))
                .about(field, value, allowed);
    }

    static Problem tooSlow(Duration limit) {
        return Problem.of(
                        503,
                        "request-too-slow",
                        "no answer within %d ms".formatted(limit.toMillis()),
                        "repeat it with the same Idempotency-Key: it does not act twice")
                .retryAfter(RETRY_SOON);
    }

    static Problem overloaded(int limit) {
        return Problem.of(503, "overloaded", "%d requests are waiting already".formatted(limit), "ask again later")
                .retryAfter(RETRY_SOON);
    }

    static Problem tooManyStreams(int limit) {
        return Problem.of(
                        503,
                        "too-many-streams",
                        "%d event streams are open".formatted(limit),
                        "poll the operation instead")
                .retryAfter(RETRY_SOON);
    }
}

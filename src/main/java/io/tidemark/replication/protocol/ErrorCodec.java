package io.tidemark.replication.protocol;

import io.tidemark.domain.LinkId;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;

/**
 * Errors as one side tells them to the other. Those that the other side acts upon keep their type; the rest arrive as
 * {@link ReplicationError.PeerRefused} with a code and a sentence.
 */
final class ErrorCodec {
    /** Characters of a sentence that travel: enough for any of ours, too little to fill a log. */
    private static final int TEXT_CHARACTERS_MAXIMUM = 500;

    /** Ids of each list that travel: the frame has room, and nobody reads more. */
    private static final int IDS_MAXIMUM = 64;

    private ErrorCodec() {}

    static void write(ReplicationError error, ByteBuffer into) {
        switch (error) {
            case ReplicationError.LinkUnknown e ->
                texts(into, "link-unknown", e.link().value());
            case ReplicationError.LinkPaused e ->
                texts(into, "link-paused", e.link().value());
            case ReplicationError.NoTarget e ->
                texts(into, "no-target", e.link().value());
            case ReplicationError.NoCommonBase e -> {
                texts(into, "no-common-base", e.link().value());
                MessageCodec.ids(few(e.source()), into);
                MessageCodec.ids(few(e.target()), into);
            }
            case ReplicationError.Diverged e ->
                texts(
                        into,
                        "diverged",
                        e.link().value(),
                        e.commonBase().value(),
                        e.targetNewest().value());
            case ReplicationError.TargetWritten e ->
                texts(into, "target-written", e.volume().value(), shortened(e.evidence()));
            case ReplicationError.TargetSmaller e -> {
                texts(into, "target-smaller", e.volume().value());
                into.putLong(e.targetBytes()).putLong(e.sourceBytes());
            }
            case ReplicationError.ProtocolMismatch e ->
                texts(into, "protocol-mismatch", shortened(e.theirs()), shortened(e.ours()));
            case ReplicationError.CorruptFrame e -> texts(into, "corrupt-frame", shortened(e.evidence()));
            case ReplicationError.ChecksumMismatch e ->
                texts(
                        into,
                        "checksum-mismatch",
                        e.recoveryPoint().value(),
                        shortened(e.expected()),
                        shortened(e.actual()));
            case ReplicationError.LinkBusy e -> {
                texts(into, "link-busy", e.link().value());
                into.putLong(e.retryAfter().toMillis());
            }
            case ReplicationError.InvitationRefused e -> texts(into, "invitation-refused", shortened(e.reason()));
            case ReplicationError.Cancelled e ->
                texts(into, "cancelled", e.link().value());
            case ReplicationError.Storage e -> storage(e.error(), into);
            case ReplicationError.StreamChanged e -> texts(into, "refused", "stream", shortened(e.message()));
            case ReplicationError.TrackingUntrusted e -> texts(into, "refused", "tracking", shortened(e.message()));
            case ReplicationError.PeerRefused e -> texts(into, "refused", shortened(e.code()), shortened(e.reason()));
            case ReplicationError.State e -> texts(into, "refused", "state", shortened(e.message()));
            case ReplicationError.PeerUnreachable e -> texts(into, "refused", "unreachable", shortened(e.message()));
            case ReplicationError.ConnectionLost e -> texts(into, "refused", "lost", shortened(e.message()));
            case ReplicationError.PeerNotTrusted e -> texts(into, "refused", "not-trusted", shortened(e.message()));
        }
    }

    private static void storage(ProviderError error, ByteBuffer into) {
        switch (error) {
            case ProviderError.Busy e -> {
                texts(into, "storage-busy", shortened(e.object()), shortened(e.holder()));
                into.putLong(e.retryAfter().toMillis());
            }
            case ProviderError.OutOfSpace e -> {
                texts(into, "storage-full", shortened(e.object()));
                into.putLong(Math.max(0, e.freeBytes())).putLong(Math.max(0, e.neededBytes()));
            }
            case ProviderError.VolumeNotFound e ->
                texts(into, "volume-not-found", e.volume().value());
            case ProviderError.VolumeExists _,
                    ProviderError.SnapshotNotFound _,
                    ProviderError.Held _,
                    ProviderError.Conflict _,
                    ProviderError.Denied _,
                    ProviderError.Corrupt _,
                    ProviderError.Unreachable _,
                    ProviderError.Unexpected _ -> texts(into, "refused", "storage", shortened(error.message()));
        }
    }

    static ReplicationError read(PayloadReader in) throws ReplicationException {
        String code = in.text("code");
        return switch (code) {
            case "link-unknown" -> new ReplicationError.LinkUnknown(link(in));
            case "link-paused" -> new ReplicationError.LinkPaused(link(in));
            case "no-target" -> new ReplicationError.NoTarget(link(in));
            case "no-common-base" ->
                new ReplicationError.NoCommonBase(
                        link(in), MessageCodec.ids("source", in), MessageCodec.ids("target", in));
            case "diverged" -> new ReplicationError.Diverged(link(in), point(in), point(in));
            case "target-written" -> new ReplicationError.TargetWritten(volume(in), in.text("evidence"));
            case "target-smaller" ->
                new ReplicationError.TargetSmaller(volume(in), in.size("target bytes"), in.size("source bytes"));
            case "protocol-mismatch" -> new ReplicationError.ProtocolMismatch(in.text("ours"), in.text("theirs"));
            case "corrupt-frame" -> new ReplicationError.CorruptFrame("peer says: " + in.text("evidence"));
            case "checksum-mismatch" ->
                new ReplicationError.ChecksumMismatch(point(in), in.text("expected"), in.text("actual"));
            case "link-busy" -> new ReplicationError.LinkBusy(link(in), millis(in));
            case "invitation-refused" -> new ReplicationError.InvitationRefused(in.text("reason"));
            case "cancelled" -> new ReplicationError.Cancelled(link(in));
            case "storage-busy" ->
                new ReplicationError.Storage(new ProviderError.Busy(in.text("object"), in.text("holder"), millis(in)));
            case "storage-full" ->
                new ReplicationError.Storage(
                        new ProviderError.OutOfSpace(in.text("object"), in.size("free"), in.size("needed")));
            case "volume-not-found" -> new ReplicationError.Storage(new ProviderError.VolumeNotFound(volume(in)));
            case "refused" -> new ReplicationError.PeerRefused(in.text("code"), in.text("reason"));
            default -> new ReplicationError.PeerRefused(shortened(code), "no reason this version understands");
        };
    }

    private static LinkId link(PayloadReader in) throws ReplicationException {
        return in.id("link", LinkId::new);
    }

    private static RecoveryPointId point(PayloadReader in) throws ReplicationException {
        return in.id("recovery point", RecoveryPointId::new);
    }

    private static VolumeId volume(PayloadReader in) throws ReplicationException {
        return in.id("volume", VolumeId::new);
    }

    private static Duration millis(PayloadReader in) throws ReplicationException {
        return Duration.ofMillis(in.size("retry after"));
    }

    private static List<RecoveryPointId> few(List<RecoveryPointId> ids) {
        return ids.subList(0, Math.min(ids.size(), IDS_MAXIMUM));
    }

    private static void texts(ByteBuffer into, String... texts) {
        for (String text : texts) {
            MessageCodec.text(text, into);
        }
    }

    private static String shortened(String text) {
        return text.length() <= TEXT_CHARACTERS_MAXIMUM ? text : text.substring(0, TEXT_CHARACTERS_MAXIMUM);
    }
}

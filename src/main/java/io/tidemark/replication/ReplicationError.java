package io.tidemark.replication;

import io.tidemark.domain.LinkId;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.List;

/** Why a synchronisation, verification or pairing did not happen. Both sides are at a recovery point they had. */
public sealed interface ReplicationError {
    /** One lower-case phrase without a full stop. */
    String message();

    /** Whether trying again can help without anyone doing anything else. */
    default boolean retryable() {
        return false;
    }

    record PeerUnreachable(String address, String reason) implements ReplicationError {
        @Override
        public String message() {
            return "peer at %s cannot be reached: %s".formatted(address, reason);
        }

        @Override
        public boolean retryable() {
            return true;
        }
    }

    record ConnectionLost(String address, String reason) implements ReplicationError {
        @Override
        public String message() {
            return "connection to %s was lost: %s".formatted(address, reason);
        }

        @Override
        public boolean retryable() {
            return true;
        }
    }

    /** The key it showed is not the pinned one. */
    record PeerNotTrusted(String address, String expectedFingerprint, String actualFingerprint)
            implements ReplicationError {
        @Override
        public String message() {
            return "peer at %s shows key %s, pinned is %s".formatted(address, actualFingerprint, expectedFingerprint);
        }
    }

    record InvitationRefused(String reason) implements ReplicationError {
        @Override
        public String message() {
            return "invitation is refused: " + reason;
        }
    }

    record LinkUnknown(LinkId link) implements ReplicationError {
        @Override
        public String message() {
            return "link %s is not known to the peer".formatted(link);
        }
    }

    /** The peer was told to take nothing over it. */
    record LinkPaused(LinkId link) implements ReplicationError {
        @Override
        public String message() {
            return "link %s is paused at the peer".formatted(link);
        }
    }

    /** Both sides of the link are its source: one was promoted without the other. */
    record NoTarget(LinkId link) implements ReplicationError {
        @Override
        public String message() {
            return "link %s has no target: the peer is its source too".formatted(link);
        }
    }

    /** Both have recovery points, none in common; overwriting the target's must be asked for. */
    record NoCommonBase(LinkId link, List<RecoveryPointId> source, List<RecoveryPointId> target)
            implements ReplicationError {
        public NoCommonBase {
            source = List.copyOf(source);
            target = List.copyOf(target);
        }

        @Override
        public String message() {
            return "link %s has no common base: source has %s, target has %s".formatted(link, source, target);
        }
    }

    /** The target has a newer recovery point than the newest common one that did not come over this link. */
    record Diverged(LinkId link, RecoveryPointId commonBase, RecoveryPointId targetNewest) implements ReplicationError {
        @Override
        public String message() {
            return "link %s diverged: newest common is %s, target went on to %s"
                    .formatted(link, commonBase, targetNewest);
        }
    }

    /** Someone wrote to the target volume since its newest recovery point. */
    record TargetWritten(VolumeId volume, String evidence) implements ReplicationError {
        @Override
        public String message() {
            return "target volume %s was written by others: %s".formatted(volume, evidence);
        }
    }

    record TargetSmaller(VolumeId volume, long targetBytes, long sourceBytes) implements ReplicationError {
        @Override
        public String message() {
            return "target volume %s has %d bytes, source has %d".formatted(volume, targetBytes, sourceBytes);
        }
    }

    record ProtocolMismatch(String ours, String theirs) implements ReplicationError {
        @Override
        public String message() {
            return "peer speaks protocol %s, this site %s".formatted(theirs, ours);
        }
    }

    record CorruptFrame(String evidence) implements ReplicationError {
        @Override
        public String message() {
            return "frame is damaged: " + evidence;
        }

        @Override
        public boolean retryable() {
            return true;
        }
    }

    /** The storage called blocks unchanged that had changed; nothing of what was sent counts. Asked again: in full. */
    record TrackingUntrusted(VolumeId volume, String source, long offsetBytes, long lengthBytes)
            implements ReplicationError {
        @Override
        public String message() {
            return "%s left out %d changed bytes at %d of volume %s"
                    .formatted(source, lengthBytes, offsetBytes, volume);
        }

        @Override
        public boolean retryable() {
            return true;
        }
    }

    /** A storage's stream does not begin again as the interrupted one did: what the target has of it is worth nothing. */
    record StreamChanged(VolumeId volume, String format, long throughBytes) implements ReplicationError {
        @Override
        public String message() {
            return "the %s stream of volume %s differs from what was sent of it, %d bytes"
                    .formatted(format, volume, throughBytes);
        }

        @Override
        public boolean retryable() {
            return true;
        }
    }

    /** The image the target built is not the source's; it was not made a recovery point. */
    record ChecksumMismatch(RecoveryPointId recoveryPoint, String expected, String actual) implements ReplicationError {
        @Override
        public String message() {
            return "copy of %s has digest %s, source has %s".formatted(recoveryPoint, actual, expected);
        }
    }

    /** The peer ended it with a reason of its own. */
    record PeerRefused(String code, String reason) implements ReplicationError {
        @Override
        public String message() {
            return "peer refused (%s): %s".formatted(code, reason);
        }
    }

    record LinkBusy(LinkId link, Duration retryAfter) implements ReplicationError {
        @Override
        public String message() {
            return "link %s is synchronising already".formatted(link);
        }

        @Override
        public boolean retryable() {
            return true;
        }
    }

    record Cancelled(LinkId link) implements ReplicationError {
        @Override
        public String message() {
            return "link %s: cancelled by request".formatted(link);
        }
    }

    record Storage(ProviderError error) implements ReplicationError {
        @Override
        public String message() {
            return error.message();
        }

        @Override
        public boolean retryable() {
            return error.retryable();
        }
    }

    /** A file of this site's own state (ingest log) could not be read or written. */
    record State(String path, String reason) implements ReplicationError {
        @Override
        public String message() {
            return "state file %s: %s".formatted(path, reason);
        }
    }
}

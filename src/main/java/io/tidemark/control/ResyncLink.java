package io.tidemark.control;

import io.tidemark.domain.LinkId;
import io.tidemark.domain.Operation;
import io.tidemark.spi.RecoveryPointId;
import java.util.Optional;

/** Starts bringing a target that was written, diverged or lost its base to a recovery point of the source. */
public final class ResyncLink {
    private final SyncLink syncLink;

    ResyncLink(SyncLink syncLink) {
        this.syncLink = syncLink;
    }

    /**
     * @param asked empty for the newest of the link's volume
     * @param overwriteTarget that what the target has may be overwritten, once it is kept there as a recovery point
     */
    public Operation start(LinkId id, Optional<RecoveryPointId> asked, boolean overwriteTarget, Intent intent)
            throws ControlException {
        if (!overwriteTarget) {
            throw new ControlException(new ControlError.Invalid(
                    "overwriteTarget", "false", "is not confirmed", "true, once what the target has may go"));
        }
        return syncLink.start(id, asked, TransferOperation.RESYNC, intent);
    }
}

package io.tidemark.replication.live;

/** What happens to a copy. */
public sealed interface LiveEvent {
    /** A session with the peer has begun; one before has ended. */
    record Connected(long session) implements LiveEvent {}

    record Arrived(long session, LiveMessage message) implements LiveEvent {}

    record Lost(long session) implements LiveEvent {}

    /**
     * A client's write.
     *
     * @param isForced FUA: durable before it is answered
     */
    record Write(long request, long offset, int length, Payload data, boolean isForced) implements LiveEvent {}

    record Flush(long request) implements LiveEvent {}

    record Read(long request, long offset, int length) implements LiveEvent {}

    /** A {@link LiveEffect.WriteVolume} has ended: reads see it, a power cut may take it. */
    record Written(long work) implements LiveEvent {}

    /** A {@link LiveEffect.FlushVolume} has ended: what was written when it began is durable. */
    record Flushed(long work) implements LiveEvent {}

    record ReadDone(long work, Payload data) implements LiveEvent {}

    record DigestsRead(long work, Digests digests) implements LiveEvent {}

    /** The volume or the metadata cannot be written or read: the copy serves nobody from here on. */
    record DiskFailed(String what) implements LiveEvent {}

    /** A {@link LiveEffect.KeepVolume} has ended: there is a snapshot, or the storage makes none. */
    record Kept(long work) implements LiveEvent {}

    record Persisted(long ticket) implements LiveEvent {}

    /**
     * @param lease {@link Lease#NONE} where the copy is not fenced
     * @param isForced though the peer is not there, and may be newer
     */
    record Promote(long request, Lease lease, boolean isForced) implements LiveEvent {
        /** By force. */
        public Promote(long request, Lease lease) {
            this(request, lease, true);
        }
    }

    /**
     * @param isForced writes that cannot be answered are refused; else it waits for them
     */
    record Demote(long request, boolean isForced) implements LiveEvent {}

    /** Of another token than this primary was promoted with it is not heard: another copy was primary in between. */
    record LeaseRenewed(Lease lease) implements LiveEvent {}

    /** A {@link LiveEffect.TellOutdated} was taken down where leases are given out. */
    record OutdatedTold(Generation generation) implements LiveEvent {}

    /**
     * Somebody has chosen between two histories. Whoever asks keeps what was chosen until the two are in step, for the
     * copy's next start: {@link LiveStart#chosen}.
     *
     * @param isKept whether it is this copy's
     */
    record Resolve(long request, boolean isKept) implements LiveEvent {}

    /**
     * A secondary's content is given up, and copied in full from its peer, which has to be primary and in step. It is kept
     * first ({@link LiveEffect.KeepVolume}), without a session; once it has met the peer again as it was before, it is no
     * content any more, and answered once that is durable. Then that session ends too. DRBD's invalidate.
     *
     * @param isPeers the primary asks it of its peer, and is answered when that was sent: DRBD's invalidate-remote
     */
    record Invalidate(long request, boolean isPeers) implements LiveEvent {}

    /**
     * Both copies are to be compared, block by block; answered when that has begun, or the primary was asked to. What differs
     * is dirty from then on, on both sides, and not repaired before they meet the next time: DRBD's verify.
     */
    record Verify(long request) implements LiveEvent {}

    /** A verify that this side drives is to compare no more; what it has found stays dirty. */
    record StopVerify(long request) implements LiveEvent {}

    /**
     * How it is replicated from here on: protocol, congestion, buffer, digests and rate of a resync. The session ends, for
     * both sides have to be told before they meet again; answered at once.
     *
     * @param settings of the same copies, size, activity log and messages
     */
    record Change(long request, LiveSettings settings) implements LiveEvent {}

    /**
     * Time has passed: to come at least once a second; where {@link LiveSettings#resyncRate} is set, each 0.1 s while the
     * status is {@code SYNC_SOURCE}, for a resync that has asked for all that it may goes on by ticks and confirmations alone.
     */
    record Tick() implements LiveEvent {}
}

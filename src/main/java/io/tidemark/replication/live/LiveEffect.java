package io.tidemark.replication.live;

import java.util.Map;
import java.util.Optional;

/** What a copy wants done. */
public sealed interface LiveEffect {
    record Send(long session, LiveMessage message) implements LiveEffect {}

    /** The session ends; the copy has forgotten it already. */
    record Disconnect(long session, String why) implements LiveEffect {}

    /** Ends with {@link LiveEvent.Written}; overlapping ones are never under way at once. */
    record WriteVolume(long work, long offset, int length, Payload data) implements LiveEffect {}

    record FlushVolume(long work) implements LiveEffect {}

    /** @param isForPeer of a resync, which no client waits for */
    record ReadVolume(long work, long offset, int length, boolean isForPeer) implements LiveEffect {}

    /** The digests of the blocks of a range; ends with {@link LiveEvent.DigestsRead}. */
    record ReadDigests(long work, long offset, int length) implements LiveEffect {}

    /**
     * To be made durable, in any order, before {@link LiveEvent.Persisted}; one at a time.
     *
     * @param pages of the dirty bitmap, by number
     */
    record Persist(
            long ticket,
            Optional<Superblock> superblock,
            Map<Integer, byte[]> pages,
            Optional<ActivityLog.Transaction> transaction)
            implements LiveEffect {}

    /** A request has ended well. */
    record Answer(long request) implements LiveEffect {}

    record AnswerRead(long request, Payload data) implements LiveEffect {}

    /** A request has ended; of a write, it is not known whether it was made. */
    record Refuse(long request, String why) implements LiveEffect {}

    /**
     * Whoever gives out leases must from now on give one only to a copy whose current generation is this or comes from it;
     * answered by {@link LiveEvent.OutdatedTold}.
     *
     * @param token of the lease: with one that is not the newest, nothing is taken down
     */
    record TellOutdated(long token, Generation generation) implements LiveEffect {}

    /**
     * The volume as it is now is to be kept, before a resync overwrites it; ends with {@link LiveEvent.Kept}, until which
     * nothing is written and no session is begun. It is wanted no more once {@link LiveEvent.Resolve} of this copy's content
     * was answered.
     *
     * @param isGivenUp somebody gives it up knowingly: it is to stay for him
     */
    record KeepVolume(long work, boolean isGivenUp) implements LiveEffect {}

    /** It is now as this says. */
    record Report(LiveStatus status) implements LiveEffect {}
}

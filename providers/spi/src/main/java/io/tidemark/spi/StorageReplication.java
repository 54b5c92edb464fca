package io.tidemark.spi;

import java.util.List;

/**
 * What a provider can do besides whose storage replicates a volume by itself, all the time, to a second volume in another
 * region. No byte passes through this host. It makes no recovery points: the second volume is what the first one was a
 * moment ago, and can be used once replication has stopped.
 *
 * <p>Each method answers soon; {@link Step.Running} is followed by {@link StorageProvider#resume}, after a restart too.
 * Asked again, each goes on where it is.
 */
public interface StorageReplication {

    /** In the order in which a pair goes through them. */
    enum State {
        /** The volume is of no pair. */
        NONE,
        /** There is a second volume, and nothing was replicated to it yet. */
        CREATED,
        STARTING,
        ACTIVE,
        STOPPING,
        STOPPED,
        /** The storage's word for it is none that the provider knows. */
        UNKNOWN
    }

    /**
     * @param partners the other volumes of its pair, as this provider calls them
     * @param groups names of the consistency groups that the volume is in
     * @param costOfStop what a stop costs, as a phrase for people; to be told before
     */
    record Status(VolumeId volume, State state, List<VolumeId> partners, List<String> groups, String costOfStop) {
        public Status {
            partners = List.copyOf(partners);
            groups = List.copyOf(groups);
        }
    }

    /** @throws ProviderException VolumeNotFound */
    Status replication(VolumeId volume) throws ProviderException;

    /**
     * Replicates to the secondary, which is made, empty and as large as its primary, where there is none.
     *
     * @param secondary of this provider, in another region
     * @throws ProviderException VolumeNotFound of the primary; Conflict where the secondary is no place for it, is a volume
     *     of something else, or its replication was stopped: what was stopped never goes on
     */
    Step<Status> startReplication(VolumeId primary, VolumeId secondary) throws ProviderException;

    /**
     * Stops for good; the secondary becomes a volume like any other. Done where it is stopped.
     *
     * @param wholeGroup whether all pairs of the consistency group that the volume is in are stopped, at one time
     * @param newSecondaryAccepted that {@link Status#costOfStop} was read
     * @throws ProviderException VolumeNotFound; Conflict where it is not accepted, nothing is replicated, or the volume is
     *     in no group, or in several
     */
    Step<Status> stopReplication(VolumeId volume, boolean wholeGroup, boolean newSecondaryAccepted)
            throws ProviderException;
}

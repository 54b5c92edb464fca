package io.tidemark.replication;

/** Where one synchronisation stands, at the side that receives. */
public enum TargetState {
    NEW,
    GREETED,
    LOOKING,
    RECEIVING,
    COMMITTING,
    APPLYING,
    CUTTING,
    HOLDING,
    RECORDING,
    MOVING_HOLDS,
    CLEARING,
    DONE,
    FAILED;

    public boolean ended() {
        return this == DONE || this == FAILED;
    }

    /** From here on nothing stops it but this host's own death or storage, and a restart goes on. */
    public boolean committed() {
        return compareTo(APPLYING) >= 0 && !ended();
    }
}

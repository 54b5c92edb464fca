package io.tidemark.replication;

/** Where one synchronisation stands, at the side that sends. */
public enum SourceState {
    NEW,
    CONNECTING,
    GREETING,
    HOLDING,
    OFFERED,
    SENDING,
    COMMITTING,
    MOVING_HOLDS,
    LETTING_GO,
    DONE,
    FAILED;

    public boolean ended() {
        return this == DONE || this == FAILED;
    }
}

package io.tidemark.agent;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.domain.RecoveryPoint;
import java.util.Map;

/**
 * One host's part in a recovery point over several, one step at a time. A step that throws has ended the part: nothing is
 * frozen and nothing is left of it. Closing it before {@link #finish} has answered does the same. Owned by one thread.
 */
public interface HostTake extends AutoCloseable {

    /** Plans again, freezes what holds no writer. */
    void prepare() throws ConsistencyException;

    /** Writes out what is dirty: little is left for the freeze. */
    void writeOut() throws ConsistencyException;

    /**
     * Holds every writer; from here on the freeze limit runs, and the host goes on by itself when it is over.
     *
     * @return the mark that proves it
     */
    String freeze() throws ConsistencyException;

    /**
     * Cuts.
     *
     * @param frozen the marks of all hosts, by host
     * @return the mark that proves it
     */
    String cut(Map<String, String> frozen) throws ConsistencyException;

    /**
     * Thaws, and tells what was achieved.
     *
     * @param cut the marks of all hosts, by host
     */
    RecoveryPoint finish(Map<String, String> cut) throws ConsistencyException;

    /** Ends it where it is; returns once nothing of it is frozen here, or cannot be told. */
    @Override
    void close();
}

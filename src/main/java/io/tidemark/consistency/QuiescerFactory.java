package io.tidemark.consistency;

import io.tidemark.domain.QuiescerSpec;

/** Makes the quiescers of one kind from what their user wrote. */
public interface QuiescerFactory {

    /** As users write it: {@code postgresql}. */
    String kind();

    /** @throws ConsistencyException BadQuiescerSetting; the application itself is not asked */
    Quiescer create(QuiescerSpec spec) throws ConsistencyException;

    /** Thaws what a process before this one left frozen, where nothing else would. Never throws. */
    default void sweep() {}

    /** For people: the account the quiescer needs and the statements that make and grant it. */
    String leastRights();

    /**
     * For people: what a quiescer with these settings does. Asks no application; settings that it must have may be left
     * out, for whoever wants to know them.
     *
     * @throws ConsistencyException BadQuiescerSetting, for what is written and wrong
     */
    Explanation explain(QuiescerSpec spec) throws ConsistencyException;
}

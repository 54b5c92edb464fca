package io.tidemark.consistency;

import io.tidemark.domain.QuiescerSpec;

/** Makes the quiescers of one kind from what their user wrote. */
public interface QuiescerFactory {

    /** As users write it: {@code postgresql}. */
    String kind();

    /** @throws ConsistencyException BadQuiescerSetting; the application itself is not asked */
    Quiescer create(QuiescerSpec spec) throws ConsistencyException;

    /** For people: the account the quiescer needs and the statements that make and grant it. */
    String leastRights();
}

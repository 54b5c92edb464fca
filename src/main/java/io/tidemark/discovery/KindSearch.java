package io.tidemark.discovery;

import java.util.List;

/** Finds servers of one kind among processes. */
interface KindSearch {

    /** @param names that a process goes by; one that may belong to such a server is looked at */
    boolean concerns(List<String> names);

    /** @param processes all that concern any kind */
    List<FoundServer> find(List<HostProcess> processes);

    /** Where nothing of it was to be seen. */
    String UNSEEN = "its files cannot be seen from here: run this as root";
}

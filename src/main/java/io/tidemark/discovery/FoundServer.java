package io.tidemark.discovery;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A database server that runs.
 *
 * @param kind of its quiescer
 * @param data what it needs to be recovered, as it sees it, by path with a phrase that says what it is
 * @param settings of its quiescer, as far as they can be seen
 * @param toComplete settings that cannot be seen, by name with what they are
 * @param notes for whoever reads the proposal, one phrase each
 * @param unseen why its files could not be found, as a phrase; empty where they were
 */
record FoundServer(
        String kind,
        HostProcess process,
        Map<Path, String> data,
        Map<String, String> settings,
        Map<String, String> toComplete,
        List<String> notes,
        String unseen) {

    /** Of which nothing else is known. */
    static FoundServer unseen(String kind, HostProcess process, String reason) {
        return new FoundServer(kind, process, Map.of(), Map.of(), Map.of(), List.of(), reason);
    }
}

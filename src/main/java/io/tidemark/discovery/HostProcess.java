package io.tidemark.discovery;

import io.tidemark.consistency.MountTable;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A process, as the kernel tells of it.
 *
 * @param program names that it goes by: that of its file and that of its main thread
 * @param arguments without the program
 * @param workingFolder as it sees it; empty where we may not look
 * @param root folder below which we see what it sees
 * @param mounts what it has mounted
 * @param otherNamespace whether it sees other mounts than we do, as in a container
 */
record HostProcess(
        int pid,
        int parent,
        List<String> program,
        List<String> arguments,
        Optional<Path> workingFolder,
        ProcessRoot root,
        MountTable mounts,
        boolean otherNamespace) {

    boolean goesBy(List<String> names) {
        return program.stream().anyMatch(names::contains);
    }
}

package io.tidemark.discovery;

import io.tidemark.consistency.MountTable;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A process, as the kernel tells of it.
 *
 * @param program names that it goes by: that of its file and that of its main thread
 * @param file name of the file that it runs; empty where we may not look
 * @param title what stands before its arguments: how it was called, or what it calls itself
 * @param arguments without the program
 * @param workingFolder as it sees it; empty where we may not look
 * @param root folder below which we see what it sees
 * @param mounts what it has mounted
 * @param mountNamespace the same for all that see the same mounts; empty where we may not look
 * @param otherNamespace whether it sees other mounts than we do, as in a container
 */
record HostProcess(
        int pid,
        int parent,
        List<String> program,
        Optional<String> file,
        String title,
        List<String> arguments,
        Optional<Path> workingFolder,
        ProcessRoot root,
        MountTable mounts,
        Optional<Path> mountNamespace,
        boolean otherNamespace) {

    boolean goesBy(List<String> names) {
        return program.stream().anyMatch(names::contains);
    }

    /** Whether it runs a file of that name; by its main thread's where we may not look. A script runs its interpreter. */
    boolean runs(String name) {
        return file.map(name::equals).orElseGet(() -> program.contains(name));
    }
}

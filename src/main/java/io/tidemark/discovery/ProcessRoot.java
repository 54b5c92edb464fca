package io.tidemark.discovery;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;

/** Paths as a process sees them, followed as it would follow them: a link to {@code /} leads to its own. */
record ProcessRoot(Path folder) {
    /** As the kernel's own limit, path_resolution(7). */
    private static final int LINKS_MAXIMUM = 40;

    private static final Path TOP = Path.of("/");

    /** Where we see it. */
    Path onHost(Path seen) {
        return folder.resolve(TOP.relativize(seen));
    }

    /** Without symbolic links, as the process sees it. What does not exist is left as it stands. */
    Path follow(Path seen) throws IOException {
        var ahead = new ArrayDeque<Path>();
        seen.forEach(ahead::add);
        var here = TOP;
        int links = 0;
        while (!ahead.isEmpty()) {
            var next = here.resolve(ahead.remove()).normalize();
            var onHost = onHost(next);
            if (!Files.isSymbolicLink(onHost)) {
                here = next;
                continue;
            }
            links++;
            if (links > LINKS_MAXIMUM) {
                throw new IOException("%s leads through more than %d symbolic links".formatted(seen, LINKS_MAXIMUM));
            }
            var target = Files.readSymbolicLink(onHost);
            here = target.isAbsolute() ? TOP : here;
            var names = new ArrayDeque<Path>();
            target.forEach(names::add);
            names.descendingIterator().forEachRemaining(ahead::addFirst);
        }
        return here;
    }
}

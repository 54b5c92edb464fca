package io.tidemark.consistency.command;

import io.tidemark.consistency.JournalFolder;
import io.tidemark.spi.RecoveryPointId;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Which freeze programs were about to run, written and synced before they are and removed once their thaw program has
 * succeeded: one small file each. Layout: docs/formats/command-journal.md.
 */
final class HeldJournal {
    private static final String POINT = "recovery-point ";
    private static final String COMMAND = "command ";
    private static final long FILE_BYTES_MAXIMUM = 4_096;

    private final JournalFolder files;

    HeldJournal(Path folder) {
        this.files = new JournalFolder(folder, "tidemark-command-journal 1", ".held", FILE_BYTES_MAXIMUM);
    }

    /**
     * @param file to remove
     * @param command empty where the file is damaged, or of another version: it stays, for somebody may be held
     */
    record Entry(Path file, String recoveryPoint, String command) {}

    Path write(RecoveryPointId recoveryPoint, String command) throws IOException {
        // A group may name one command twice; each freeze is one of its own.
        var name = "%s.%s.%x".formatted(recoveryPoint.value(), command, System.nanoTime());
        return files.write(name, List.of(POINT + recoveryPoint.value(), COMMAND + command));
    }

    void remove(Path file) throws IOException {
        files.remove(file);
    }

    /** What was left to thaw. */
    List<Entry> entries() throws IOException {
        return files.files().stream().map(HeldJournal::entry).toList();
    }

    private static Entry entry(JournalFolder.Found found) {
        return found.lines()
                .filter(lines -> lines.size() == 2)
                .map(lines -> new Entry(
                        found.file(),
                        lines.get(0).substring(POINT.length()),
                        lines.get(1).substring(COMMAND.length())))
                .orElseGet(() -> new Entry(found.file(), "", ""));
    }
}

package io.tidemark.consistency.oracle;

import io.tidemark.consistency.JournalFolder;
import io.tidemark.spi.RecoveryPointId;
import java.io.IOException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Which databases were about to be put into backup mode, written and synced before they are and removed once they are
 * out of it: backup mode belongs to the database and outlives every session. Layout: docs/formats/oracle-journal.md.
 */
final class BackupJournal {
    private static final String POINT = "recovery-point ";
    private static final String BEFORE = "before ";
    private static final String CHANGE = "change ";
    private static final String SETTING = "setting ";
    private static final long FILE_BYTES_MAXIMUM = 16_384;

    private final JournalFolder files;

    BackupJournal(Path folder) {
        this.files = new JournalFolder(folder, "tidemark-oracle-journal 1", ".held", FILE_BYTES_MAXIMUM);
    }

    /**
     * @param settings of the quiescer as written; no secrets are among them
     * @param before the server's time before backup mode was begun
     * @param changes at which it began, by data file; empty until it has
     */
    record Entry(String recoveryPoint, Map<String, String> settings, String before, List<String> changes) {
        Entry {
            settings = Map.copyOf(settings);
            changes = List.copyOf(changes);
        }
    }

    /** @param entry empty where the file is damaged, or of another version: it stays, for a database may be in backup mode */
    record Left(Path file, Optional<Entry> entry) {}

    /** Its name, which is nobody else's. */
    static String name(RecoveryPointId recoveryPoint) {
        return "%s.%x".formatted(recoveryPoint.value(), System.nanoTime());
    }

    /** In place of what was written under that name before. */
    Path write(String name, Entry entry) throws IOException {
        var lines = new ArrayList<String>();
        lines.add(POINT + entry.recoveryPoint());
        lines.add(BEFORE + entry.before());
        entry.changes().forEach(change -> lines.add(CHANGE + change));
        new TreeMap<>(entry.settings())
                .forEach((setting, value) ->
                        lines.add(SETTING + setting + " " + URLEncoder.encode(value, StandardCharsets.UTF_8)));
        return files.writeLive(name, lines);
    }

    void remove(Path file) throws IOException {
        files.remove(file);
    }

    /** Takes care of one that was left; false where another thread does already, or it is gone. */
    boolean claim(Path file) {
        return files.claim(file);
    }

    /** This process takes no care of it any more: the next freeze or start does. */
    void leave(Path file) {
        files.leave(file);
    }

    /** What was left to end. */
    List<Left> left() throws IOException {
        return files.left().stream()
                .map(found -> new Left(found.file(), found.lines().flatMap(BackupJournal::entry)))
                .toList();
    }

    private static Optional<Entry> entry(List<String> lines) {
        var point = "";
        var before = "";
        var changes = new ArrayList<String>();
        var settings = new HashMap<String, String>();
        for (var line : lines) {
            if (line.startsWith(POINT)) {
                point = line.substring(POINT.length());
            } else if (line.startsWith(BEFORE)) {
                before = line.substring(BEFORE.length());
            } else if (line.startsWith(CHANGE)) {
                changes.add(line.substring(CHANGE.length()));
            } else if (line.startsWith(SETTING)) {
                var words = line.substring(SETTING.length()).split(" ", 2);
                settings.put(words[0], words.length < 2 ? "" : URLDecoder.decode(words[1], StandardCharsets.UTF_8));
            } else {
                return Optional.empty();
            }
        }
        return point.isEmpty() || before.isEmpty()
                ? Optional.empty()
                : Optional.of(new Entry(point, settings, before, changes));
    }
}

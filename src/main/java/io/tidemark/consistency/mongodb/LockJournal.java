package io.tidemark.consistency.mongodb;

import io.tidemark.consistency.JournalFolder;
import io.tidemark.spi.RecoveryPointId;
import java.io.IOException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Which servers were about to be locked, written and synced before they are and removed once they are unlocked: such a
 * lock belongs to the server and outlives every session. Layout: docs/formats/mongodb-journal.md.
 */
final class LockJournal {
    private static final String POINT = "recovery-point ";
    private static final String PROCESS = "process ";
    private static final String FSYNCS = "fsyncs ";
    private static final String UNLOCKS = "unlocks ";
    private static final String SETTING = "setting ";
    private static final long FILE_BYTES_MAXIMUM = 16_384;

    private final JournalFolder files;

    LockJournal(Path folder) {
        this.files = new JournalFolder(folder, "tidemark-mongodb-journal 1", ".held", FILE_BYTES_MAXIMUM);
    }

    /**
     * @param settings of the quiescer as written; no secrets are among them
     * @param before what the server told before it was locked
     */
    record Entry(String recoveryPoint, Map<String, String> settings, LockState before) {
        Entry {
            settings = Map.copyOf(settings);
        }
    }

    /** @param entry empty where the file is damaged, or of another version: it stays, for a server may be locked */
    record Left(Path file, Optional<Entry> entry) {}

    Path write(RecoveryPointId recoveryPoint, Entry entry) throws IOException {
        var lines = new ArrayList<String>();
        lines.add(POINT + entry.recoveryPoint());
        lines.add(PROCESS + encode(entry.before().process()));
        lines.add(FSYNCS + entry.before().fsyncs());
        lines.add(UNLOCKS + entry.before().unlocks());
        new TreeMap<>(entry.settings()).forEach((name, value) -> lines.add(SETTING + name + " " + encode(value)));
        // A group may name one server twice; each lock is one of its own.
        return files.writeLive("%s.%x".formatted(recoveryPoint.value(), System.nanoTime()), lines);
    }

    static String encode(String value) {
        return URLEncoder.encode(value, StandardCharsets.UTF_8);
    }

    static String decode(String value) {
        return URLDecoder.decode(value, StandardCharsets.UTF_8);
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

    /** Waits for the keeper of a process that died; false where it lives on at the limit. */
    boolean awaitKeeper(Path file, Duration limit) throws IOException {
        return files.awaitUnlocked(file, limit);
    }

    /** What was left to unlock. */
    List<Left> left() throws IOException {
        return files.left().stream()
                .map(found -> new Left(found.file(), found.lines().flatMap(LockJournal::entry)))
                .toList();
    }

    private static Optional<Entry> entry(List<String> lines) {
        var words = new HashMap<String, String>();
        var settings = new HashMap<String, String>();
        for (var line : lines) {
            var parts = line.split(" ", 3);
            if (line.startsWith(SETTING) && parts.length == 3) {
                settings.put(parts[1], decode(parts[2]));
            } else if (parts.length == 2) {
                words.put(parts[0] + " ", parts[1]);
            }
        }
        try {
            var before = new LockState(
                    decode(words.getOrDefault(PROCESS, "")),
                    false,
                    Long.parseLong(words.getOrDefault(FSYNCS, "")),
                    Long.parseLong(words.getOrDefault(UNLOCKS, "")));
            return words.containsKey(POINT) && !before.process().isEmpty()
                    ? Optional.of(new Entry(words.get(POINT), settings, before))
                    : Optional.empty();
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }
}

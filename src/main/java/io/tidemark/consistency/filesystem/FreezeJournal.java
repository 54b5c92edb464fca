package io.tidemark.consistency.filesystem;

import io.tidemark.consistency.FileSystems.MountedVolume;
import io.tidemark.consistency.JournalFolder;
import io.tidemark.spi.RecoveryPointId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * What is about to be frozen, written and synced before the freeze and removed after the thaw: one small file a
 * recovery point in a folder of its own. Should this process and its guard both die, the next process thaws what the
 * files name. Layout: docs/formats/freeze-journal.md.
 */
final class FreezeJournal {
    private static final String BOOT = "boot ";
    private static final String FROZEN = "frozen ";
    /** A group has at most 64 volumes; far above what their mount points need. */
    private static final long FILE_BYTES_MAXIMUM = 1 << 20;

    private final JournalFolder files;

    FreezeJournal(Path folder) {
        this.files = new JournalFolder(folder, "tidemark-freeze-journal 1", ".freeze", FILE_BYTES_MAXIMUM);
    }

    /** @param device {@code major:minor} as the mount table named it */
    record Intent(String device, Path mountPoint) {}

    /** @param bootId empty where the file is damaged, or of another version */
    record Entry(Path file, String bootId, List<Intent> intents) {
        boolean damaged() {
            return bootId.isEmpty();
        }
    }

    Path write(RecoveryPointId recoveryPoint, String bootId, List<MountedVolume> fileSystems) throws IOException {
        var lines = new ArrayList<>(List.of(BOOT + bootId));
        for (var fileSystem : fileSystems) {
            // The path is last and written as hexadecimal UTF-8: it may hold any character, line ends too.
            lines.add(FROZEN
                    + fileSystem.device()
                    + ' '
                    + HexFormat.of()
                            .formatHex(fileSystem.mountPoint().toString().getBytes(StandardCharsets.UTF_8)));
        }
        return files.write(recoveryPoint.value(), lines);
    }

    /** Whether guard and sentinel of the entry are gone, within the limit: one of them has it locked while it lives. */
    boolean awaitUnlocked(Path file, Duration limit) throws IOException {
        return files.awaitUnlocked(file, limit);
    }

    void remove(Path file) throws IOException {
        files.remove(file);
    }

    /** Every journal a process before this one left. One that is damaged is named with no intents. */
    List<Entry> entries() throws IOException {
        return files.files().stream().map(FreezeJournal::entry).toList();
    }

    private static Entry entry(JournalFolder.Found found) {
        var bootId = "";
        var intents = new ArrayList<Intent>();
        for (var line : found.lines().orElse(List.of())) {
            if (line.startsWith(BOOT)) {
                bootId = line.substring(BOOT.length());
            } else if (line.startsWith(FROZEN)) {
                var fields = line.substring(FROZEN.length()).split(" ", 2);
                var path = new String(HexFormat.of().parseHex(fields[1]), StandardCharsets.UTF_8);
                intents.add(new Intent(fields[0], Path.of(path)));
            }
        }
        return new Entry(found.file(), bootId, List.copyOf(intents));
    }
}

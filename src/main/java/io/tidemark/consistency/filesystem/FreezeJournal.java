package io.tidemark.consistency.filesystem;

import io.tidemark.consistency.FileSystems.MountedVolume;
import io.tidemark.spi.RecoveryPointId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * What is about to be frozen, written and synced before the freeze and removed after the thaw: one small file a
 * recovery point in a folder of its own. Should this process and its guard both die, the next process thaws what the
 * files name. Layout: docs/formats/freeze-journal.md.
 */
final class FreezeJournal {
    private static final String MAGIC = "tidemark-freeze-journal 1";
    private static final String SUFFIX = ".freeze";
    private static final String UNFINISHED_SUFFIX = ".new";
    private static final String CHECKSUM = "crc32c ";
    private static final String BOOT = "boot ";
    private static final String FROZEN = "frozen ";
    /** A group has at most 64 volumes; far above what their mount points need. */
    private static final long FILE_BYTES_MAXIMUM = 1 << 20;

    private final Path folder;

    FreezeJournal(Path folder) {
        this.folder = folder;
    }

    /** @param device {@code major:minor} as the mount table named it */
    record Intent(String device, Path mountPoint) {}

    record Entry(Path file, String bootId, List<Intent> intents) {}

    Path write(RecoveryPointId recoveryPoint, String bootId, List<MountedVolume> fileSystems) throws IOException {
        Files.createDirectories(folder);
        var body = new StringBuilder(MAGIC)
                .append('\n')
                .append(BOOT)
                .append(bootId)
                .append('\n');
        for (var fileSystem : fileSystems) {
            // The path is last and written as hexadecimal UTF-8: it may hold any character, line ends too.
            body.append(FROZEN)
                    .append(fileSystem.device())
                    .append(' ')
                    .append(HexFormat.of()
                            .formatHex(fileSystem.mountPoint().toString().getBytes(StandardCharsets.UTF_8)))
                    .append('\n');
        }
        var checksum = checksum(body.toString());
        body.append(CHECKSUM).append(checksum).append('\n');
        var file = folder.resolve(recoveryPoint.value() + SUFFIX);
        var unfinished = folder.resolve(recoveryPoint.value() + UNFINISHED_SUFFIX);
        try (var channel = FileChannel.open(
                unfinished,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE)) {
            var bytes = ByteBuffer.wrap(body.toString().getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
        syncFolder();
        return file;
    }

    void remove(Path file) throws IOException {
        Files.deleteIfExists(file);
        syncFolder();
    }

    /**
     * Every journal a process before this one left. A file that fails its check was never finished, so nothing was
     * frozen for it: it is named with no intents.
     */
    List<Entry> entries() throws IOException {
        var entries = new ArrayList<Entry>();
        if (!Files.isDirectory(folder)) {
            return entries;
        }
        try (var files = Files.newDirectoryStream(folder, "*{" + SUFFIX + "," + UNFINISHED_SUFFIX + "}")) {
            for (var file : files) {
                entries.add(read(file));
            }
        }
        return entries;
    }

    private static Entry read(Path file) throws IOException {
        if (Files.size(file) > FILE_BYTES_MAXIMUM) {
            return new Entry(file, "", List.of());
        }
        var text = Files.readString(file, StandardCharsets.ISO_8859_1);
        int end = text.lastIndexOf(CHECKSUM);
        if (!text.startsWith(MAGIC + "\n")
                || end < 0
                || !text.substring(end).equals(CHECKSUM + checksum(text.substring(0, end)) + "\n")) {
            return new Entry(file, "", List.of());
        }
        var bootId = "";
        var intents = new ArrayList<Intent>();
        for (var line : text.substring(0, end).lines().toList()) {
            if (line.startsWith(BOOT)) {
                bootId = line.substring(BOOT.length());
            } else if (line.startsWith(FROZEN)) {
                var fields = line.substring(FROZEN.length()).split(" ", 2);
                var path = new String(HexFormat.of().parseHex(fields[1]), StandardCharsets.UTF_8);
                intents.add(new Intent(fields[0], Path.of(path)));
            }
        }
        return new Entry(file, bootId, List.copyOf(intents));
    }

    private static String checksum(String text) {
        var crc = new CRC32C();
        crc.update(text.getBytes(StandardCharsets.UTF_8));
        return "%08x".formatted(crc.getValue());
    }

    private void syncFolder() throws IOException {
        try (var channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}

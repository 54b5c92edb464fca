package io.tidemark.consistency.command;

import io.tidemark.spi.RecoveryPointId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * Which freeze programs were about to run, written and synced before they are and removed once their thaw program has
 * succeeded: one small file each. Layout: docs/formats/command-journal.md.
 */
final class HeldJournal {
    private static final String MAGIC = "tidemark-command-journal 1";
    private static final String SUFFIX = ".held";
    private static final String UNFINISHED_SUFFIX = ".new";
    private static final String CHECKSUM = "crc32c ";
    private static final String POINT = "recovery-point ";
    private static final String COMMAND = "command ";
    private static final long FILE_BYTES_MAXIMUM = 4_096;

    private final Path folder;

    HeldJournal(Path folder) {
        this.folder = folder;
    }

    /**
     * @param file to remove
     * @param command empty where the file is damaged, or of another version
     */
    record Entry(Path file, String recoveryPoint, String command) {}

    Path write(RecoveryPointId recoveryPoint, String command) throws IOException {
        Files.createDirectories(folder);
        var body = "%s\n%s%s\n%s%s\n".formatted(MAGIC, POINT, recoveryPoint.value(), COMMAND, command);
        var text = body + CHECKSUM + checksum(body) + "\n";
        // A group may name one command twice; each freeze is one of its own.
        var name = "%s.%s.%x".formatted(recoveryPoint.value(), command, System.nanoTime());
        var unfinished = folder.resolve(name + UNFINISHED_SUFFIX);
        try (var channel = FileChannel.open(unfinished, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            var bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        var file = folder.resolve(name + SUFFIX);
        Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
        syncFolder();
        return file;
    }

    void remove(Path file) throws IOException {
        Files.deleteIfExists(file);
        syncFolder();
    }

    /**
     * What was left to thaw. A file that was never finished, which has another ending, is removed: nothing had run for it.
     * One that was finished is never removed here, whatever is in it: somebody may be held.
     */
    List<Entry> entries() throws IOException {
        var entries = new ArrayList<Entry>();
        if (!Files.isDirectory(folder)) {
            return entries;
        }
        try (var files = Files.newDirectoryStream(folder, "*{" + SUFFIX + "," + UNFINISHED_SUFFIX + "}")) {
            for (var file : files) {
                if (file.toString().endsWith(UNFINISHED_SUFFIX)) {
                    remove(file);
                } else {
                    entries.add(read(file).orElse(new Entry(file, "", "")));
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return entries;
    }

    private static Optional<Entry> read(Path file) throws IOException {
        if (Files.size(file) > FILE_BYTES_MAXIMUM) {
            return Optional.empty();
        }
        var text = Files.readString(file, StandardCharsets.ISO_8859_1);
        int end = text.lastIndexOf(CHECKSUM);
        var lines = text.lines().toList();
        if (end < 0
                || lines.size() != 4
                || !lines.getFirst().equals(MAGIC)
                || !text.substring(end).equals(CHECKSUM + checksum(text.substring(0, end)) + "\n")) {
            return Optional.empty();
        }
        return Optional.of(new Entry(
                file, lines.get(1).substring(POINT.length()), lines.get(2).substring(COMMAND.length())));
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

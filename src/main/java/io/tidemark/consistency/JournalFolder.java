package io.tidemark.consistency;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.zip.CRC32C;

/**
 * What is about to be held, in a folder of small text files: each is written and synced before anything is held, and
 * removed once nothing is any more. Should whoever wrote it die, the next process finds it. A file ends in a line {@code
 * crc32c} and 8 hex digits of all bytes before that line; it has its name once it is whole and synced, and until then
 * another one, {@code .new}.
 *
 * <p>Used by several threads at once: what one has in work another neither removes nor takes for left behind.
 */
public final class JournalFolder {
    private static final String UNFINISHED_SUFFIX = ".new";
    private static final String CHECKSUM = "crc32c ";
    private static final Duration ASK_UNLOCKED_EVERY = Duration.ofMillis(20);

    private final Path folder;
    private final String magic;
    private final String suffix;
    private final long bytesMaximum;
    /** Those that this process takes care of: nothing was left behind. Guarded by this. */
    private final Set<Path> live = new HashSet<>();

    /**
     * @param magic first line of each file: format and version
     * @param suffix of their names
     * @param bytesMaximum a larger one was not written here
     */
    public JournalFolder(Path folder, String magic, String suffix, long bytesMaximum) {
        this.folder = folder;
        this.magic = magic;
        this.suffix = suffix;
        this.bytesMaximum = bytesMaximum;
    }

    /** @param lines between the first and the last one; empty where the file is damaged, or of another version */
    public record Found(Path file, Optional<List<String>> lines) {}

    /** In place of a file of the same name; durable when it returns. */
    public synchronized Path write(String name, List<String> lines) throws IOException {
        Files.createDirectories(folder);
        var body = new StringBuilder(magic).append('\n');
        lines.forEach(line -> body.append(line).append('\n'));
        var checksum = checksum(body.toString());
        body.append(CHECKSUM).append(checksum).append('\n');
        var file = folder.resolve(name + suffix);
        var unfinished = folder.resolve(name + UNFINISHED_SUFFIX);
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
        sync();
        return file;
    }

    /** The same, and it is not among {@link #left()} until it is left. */
    public synchronized Path writeLive(String name, List<String> lines) throws IOException {
        var file = write(name, lines);
        live.add(file);
        return file;
    }

    /** Takes care of one that was left; false where somebody does already, or it is gone. */
    public synchronized boolean claim(Path file) {
        return Files.exists(file) && live.add(file);
    }

    /** This process takes no care of it any more: whoever asks next for what was left does. */
    public synchronized void leave(Path file) {
        live.remove(file);
    }

    /**
     * Waits until nobody has the file locked: who holds what it names keeps a lock while it lives.
     *
     * @return whether it is free, or gone; false where it was locked until the limit
     */
    public boolean awaitUnlocked(Path file, Duration limit) throws IOException {
        long deadline = System.nanoTime() + limit.toNanos();
        try (var channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            while (true) {
                try (var lock = channel.tryLock()) {
                    if (lock != null) {
                        return true;
                    }
                }
                if (System.nanoTime() - deadline >= 0) {
                    return false;
                }
                Thread.sleep(ASK_UNLOCKED_EVERY.toMillis());
            }
        } catch (NoSuchFileException e) {
            // Whoever held what it named has let it go, and said so.
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    public synchronized void remove(Path file) throws IOException {
        Files.deleteIfExists(file);
        live.remove(file);
        sync();
    }

    /** Those of {@link #files()} that this process takes no care of. */
    public synchronized List<Found> left() throws IOException {
        return files().stream().filter(found -> !live.contains(found.file())).toList();
    }

    /** All that are there, sorted by name. What was never finished is removed: nothing was held for it. */
    public synchronized List<Found> files() throws IOException {
        var found = new ArrayList<Found>();
        if (!Files.isDirectory(folder)) {
            return found;
        }
        try (var files = Files.newDirectoryStream(folder, "*{" + suffix + "," + UNFINISHED_SUFFIX + "}")) {
            for (var file : files) {
                if (file.toString().endsWith(UNFINISHED_SUFFIX)) {
                    remove(file);
                } else {
                    read(file).ifPresent(found::add);
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        found.sort((one, other) -> one.file().compareTo(other.file()));
        return found;
    }

    /** Empty where whoever held what it names, another process, has removed it since it was listed. */
    private Optional<Found> read(Path file) throws IOException {
        try {
            return Optional.of(new Found(file, lines(file)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    private Optional<List<String>> lines(Path file) throws IOException {
        if (Files.size(file) > bytesMaximum) {
            return Optional.empty();
        }
        var text = Files.readString(file, StandardCharsets.ISO_8859_1);
        int end = text.lastIndexOf(CHECKSUM);
        if (!text.startsWith(magic + "\n")
                || end < 0
                || !text.substring(end).equals(CHECKSUM + checksum(text.substring(0, end)) + "\n")) {
            return Optional.empty();
        }
        return Optional.of(text.substring(0, end).lines().skip(1).toList());
    }

    private static String checksum(String text) {
        var crc = new CRC32C();
        crc.update(text.getBytes(StandardCharsets.ISO_8859_1));
        return "%08x".formatted(crc.getValue());
    }

    private void sync() throws IOException {
        try (var channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}

package io.tidemark.bootstrap;

import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Ends the process without any farewell, as kill -9 would, when a named moment is reached for the n-th time, or holds it
 * there. Used by tests alone: {@code -Dtidemark.halt.file=FILE} names a file that holds {@code SNAPSHOT_CUT},
 * {@code INGEST_PARTLY_SYNCED:3} or {@code SNAPSHOT_CUT:1:hold}; while the file is absent nothing happens. The file is
 * removed before the end, so that the next process lives. Where it is to hold, the file is renamed to {@code FILE.held},
 * which says that the moment is reached, and the thread goes on once somebody has deleted that.
 */
final class HaltingMoments implements Moments {
    static final String PROPERTY = "tidemark.halt.file";
    /** What a shell sees of a process killed by SIGKILL. */
    static final int EXIT_STATUS = 137;

    private static final String HELD_SUFFIX = ".held";
    private static final String HOLD = "hold";
    /** A test that has died does not hold its process for ever. */
    private static final Duration HOLD_LIMIT = Duration.ofSeconds(60);

    private static final Duration LOOK_EVERY = Duration.ofMillis(2);

    private final Path file;
    private final AtomicLong seen = new AtomicLong();

    private HaltingMoments(Path file) {
        this.file = file;
    }

    static Moments fromProperty() {
        String text = System.getProperty(PROPERTY, "");
        return text.isEmpty() ? NONE : new HaltingMoments(Path.of(text));
    }

    static Moments at(Path file) {
        return new HaltingMoments(file);
    }

    @Override
    public void reached(Moment moment) {
        try {
            var words = Files.readString(file).strip().split(":", -1);
            long occurrence = words.length > 1 ? Long.parseLong(words[1]) : 1;
            if (moment != Moment.valueOf(words[0]) || seen.incrementAndGet() < occurrence) {
                return;
            }
            if (words.length > 2 && words[2].equals(HOLD)) {
                hold();
                return;
            }
            Files.delete(file);
            Runtime.getRuntime().halt(EXIT_STATUS);
        } catch (NoSuchFileException e) {
            seen.set(0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void hold() throws IOException {
        var held = file.resolveSibling(file.getFileName() + HELD_SUFFIX);
        long began = System.nanoTime();
        Files.move(file, held, StandardCopyOption.ATOMIC_MOVE);
        try {
            while (Files.exists(held) && System.nanoTime() - began < HOLD_LIMIT.toNanos()) {
                Thread.sleep(LOOK_EVERY);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

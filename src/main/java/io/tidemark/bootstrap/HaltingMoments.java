package io.tidemark.bootstrap;

import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Ends the process without any farewell, as kill -9 would, when a named moment is reached for the n-th time. Used by
 * tests alone: {@code -Dtidemark.halt.file=FILE} names a file that holds {@code SNAPSHOT_CUT} or
 * {@code INGEST_PARTLY_SYNCED:3}; while the file is absent nothing happens. The file is removed before the end, so that
 * the next process lives.
 */
final class HaltingMoments implements Moments {
    static final String PROPERTY = "tidemark.halt.file";
    /** What a shell sees of a process killed by SIGKILL. */
    static final int EXIT_STATUS = 137;

    private final Path file;
    private final AtomicLong seen = new AtomicLong();

    private HaltingMoments(Path file) {
        this.file = file;
    }

    static Moments fromProperty() {
        String text = System.getProperty(PROPERTY, "");
        return text.isEmpty() ? NONE : new HaltingMoments(Path.of(text));
    }

    @Override
    public void reached(Moment moment) {
        try {
            String text = Files.readString(file).strip();
            int colon = text.indexOf(':');
            var fatal = Moment.valueOf(colon < 0 ? text : text.substring(0, colon));
            long occurrence = colon < 0 ? 1 : Long.parseLong(text.substring(colon + 1));
            if (moment == fatal && seen.incrementAndGet() >= occurrence) {
                Files.delete(file);
                Runtime.getRuntime().halt(EXIT_STATUS);
            }
        } catch (NoSuchFileException e) {
            seen.set(0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

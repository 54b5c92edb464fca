package io.tidemark.quickstart;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Writes a growing sequence, one number after the other, each durable before the next; a thread of its own. */
final class SequenceWriter implements AutoCloseable {
    /** Leaves the processor to others between two writes; a few hundred a second are plenty to catch any gap. */
    private static final Duration PAUSE = Duration.ofMillis(1);

    private static final Duration STOP_LIMIT = Duration.ofSeconds(15);

    private final SequenceLog log = new SequenceLog();
    private final Target target;
    private final Thread thread;
    private volatile boolean stopping;
    private volatile @Nullable Exception failure;

    /** Where numbers go. */
    interface Target extends AutoCloseable {
        /** Returns once the number is safe. */
        void write(int number) throws Exception;
    }

    SequenceWriter(Target target) {
        this.target = target;
        thread = Thread.ofPlatform().name("sequence-writer").daemon().unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    private void run() {
        try (target) {
            for (int number = 1; !stopping && number < SequenceLog.NUMBERS_MAXIMUM; number++) {
                long issued = System.nanoTime();
                target.write(number);
                log.acknowledged(number, issued, System.nanoTime());
                TimeUnit.NANOSECONDS.sleep(PAUSE.toNanos());
            }
        } catch (Exception e) {
            failure = e;
        }
    }

    SequenceLog log() {
        return log;
    }

    void check() throws QuickstartException {
        var e = failure;
        if (e != null && !stopping) {
            throw new QuickstartException("the writer failed: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() throws QuickstartException {
        stopping = true;
        try {
            thread.join(STOP_LIMIT);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QuickstartException("interrupted", e);
        }
    }
}

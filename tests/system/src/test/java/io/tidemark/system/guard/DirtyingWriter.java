package io.tidemark.system.guard;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** While it is told to, dirties one page after another of a small file, and syncs it from time to time. */
final class DirtyingWriter implements AutoCloseable {
    private static final int PAGE_BYTES = 16 << 10;
    private static final int PAGES = 256;
    private static final int SYNC_EVERY = 40;
    private static final long PAUSE_MILLIS = 5;

    private final FileChannel channel;
    private final Thread thread;
    private volatile boolean writing;
    private volatile boolean stopping;
    private volatile @Nullable IOException failure;

    DirtyingWriter(Path file) throws IOException {
        channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        thread = Thread.ofPlatform().daemon().name("dirtying-writer").start(this::run);
    }

    void write(boolean now) throws IOException {
        var failed = failure;
        if (failed != null) {
            throw failed;
        }
        writing = now;
    }

    private void run() {
        var page = ByteBuffer.allocateDirect(PAGE_BYTES);
        var random = new Random(1);
        try {
            for (int turn = 0; !stopping; turn++) {
                if (writing) {
                    page.putLong(0, turn);
                    channel.write(page.rewind(), (long) random.nextInt(PAGES) * PAGE_BYTES);
                    if (turn % SYNC_EVERY == 0) {
                        channel.force(false);
                    }
                }
                Thread.sleep(PAUSE_MILLIS);
            }
        } catch (IOException e) {
            failure = e;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() throws IOException {
        stopping = true;
        try {
            thread.join(Duration.ofSeconds(10));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        channel.close();
    }
}

package io.tidemark.cli.block;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.BlockKernels;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Kernel and threads of one command. Closing stops the threads at their next span. */
record Hashing(BlockKernel kernel, ExecutorService threads, int threadCount) implements AutoCloseable {

    static Hashing start(int threadCount) {
        var threads = Executors.newFixedThreadPool(threadCount, task -> {
            var thread = new Thread(task, "hash");
            // A command that fails must not wait for spans nobody wants.
            thread.setDaemon(true);
            return thread;
        });
        return new Hashing(BlockKernels.best(), threads, threadCount);
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}

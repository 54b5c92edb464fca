package io.tidemark.benchmark;

import io.tidemark.system.ground.Watchdog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Scratch folder and timing of one run. The folder goes when the run ends, by the watchdog should it be killed.
 *
 * @param rounds how often ours and the peer alternate; the median counts
 * @param sizeBytes of the image, where the benchmark does not fix it
 * @param seconds that one measurement takes, where the benchmark asks for it
 * @param folder where whoever started the run wants its files; the scratch folder lies in it
 * @param undo run, last first, before the folder is removed
 */
record BenchRun(Path scratch, int rounds, long sizeBytes, int seconds, Optional<Path> folder, Deque<Runnable> undo)
        implements AutoCloseable {
    /** Room that stays free on the scratch file system: a benchmark must not fill a disk others write to. */
    private static final long SPARE_BYTES = 1L << 30;

    private static final String PREFIX = "tidemark-bench-";
    private static final int CHUNK_BYTES = 4 << 20;
    private static final double NANOS_PER_SECOND = 1e9;

    static BenchRun open(int rounds, long sizeBytes, int seconds, Optional<Path> folder) throws IOException {
        var scratch = folder.isPresent()
                ? Files.createTempDirectory(folder.get().toAbsolutePath(), PREFIX)
                : Files.createTempDirectory(PREFIX);
        var run = new BenchRun(scratch, rounds, sizeBytes, seconds, folder, new ArrayDeque<>());
        // Never forgotten: once the folder is gone, it does nothing.
        var unused = Watchdog.get().remember("rm -rf --one-file-system '%s'".formatted(run.scratch));
        return run;
    }

    /** The same run, for what takes too little time for a median of few. */
    BenchRun withRoundsOfAtLeast(int count) {
        return new BenchRun(scratch, Math.max(rounds, count), sizeBytes, seconds, folder, undo);
    }

    /** Something timed. */
    @FunctionalInterface
    interface Timed {
        void run() throws Exception;
    }

    static double seconds(Timed timed) throws Exception {
        long start = System.nanoTime();
        timed.run();
        return (System.nanoTime() - start) / NANOS_PER_SECOND;
    }

    /** One sample, taken by whoever knows what belongs to it: seconds. */
    @FunctionalInterface
    interface Sample {
        double seconds() throws Exception;
    }

    /** Medians of several things, run in turn so that the machine's moods meet all of them alike. */
    double[] alternate(Timed... things) throws Exception {
        return alternateSamples(Arrays.stream(things)
                .map(thing -> (Sample) () -> seconds(thing))
                .toArray(Sample[]::new));
    }

    double[] alternateSamples(Sample... things) throws Exception {
        var times = new double[things.length][rounds];
        for (int round = 0; round < rounds; round++) {
            for (int thing = 0; thing < things.length; thing++) {
                times[thing][round] = things[thing].seconds();
            }
        }
        var medians = new double[things.length];
        for (int thing = 0; thing < things.length; thing++) {
            medians[thing] = median(times[thing]);
        }
        return medians;
    }

    static double median(double[] values) {
        var sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    /** Throws, naming both figures, unless so many bytes fit beside what others need. */
    void needs(long bytes) throws IOException, Skipped {
        long free = Files.getFileStore(scratch).getUsableSpace();
        if (free < bytes + SPARE_BYTES) {
            throw new Skipped("%s has %d MiB free, %d MiB are needed: set TMPDIR or use --size"
                    .formatted(scratch, free >> 20, (bytes + SPARE_BYTES) >> 20));
        }
    }

    /** An image of incompressible bytes, durable and in the page cache. */
    Path image(String name, long bytes, long seed) throws IOException {
        var path = scratch.resolve(name);
        var random = new Random(seed);
        var chunk = new byte[CHUNK_BYTES];
        try (var channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            random.nextBytes(chunk);
            for (long at = 0; at < bytes; at += CHUNK_BYTES) {
                // Every chunk differs from every other in each of its blocks, without drawing it anew.
                for (int block = 0; block < CHUNK_BYTES; block += 4096) {
                    ByteBuffer.wrap(chunk).putLong(block, random.nextLong());
                }
                var data = ByteBuffer.wrap(chunk, 0, (int) Math.min(CHUNK_BYTES, bytes - at));
                while (data.hasRemaining()) {
                    channel.write(data);
                }
            }
            channel.force(true);
        }
        return path;
    }

    Path copy(Path source, String name) throws IOException {
        var copy = scratch.resolve(name);
        Files.copy(source, copy);
        try (var channel = FileChannel.open(copy, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
        return copy;
    }

    /** Offsets of so many different 4 KiB blocks, ascending; the same for the same seed. */
    static long[] blockOffsets(int count, long imageBytes, long seed) {
        return new Random(seed)
                .longs(0, imageBytes / 4096)
                .distinct()
                .limit(count)
                .sorted()
                .map(block -> block * 4096)
                .toArray();
    }

    @Override
    public void close() {
        for (var step = undo.pollLast(); step != null; step = undo.pollLast()) {
            step.run();
        }
        try {
            remove(scratch);
        } catch (IOException e) {
            throw new UncheckedIOException("scratch folder %s could not be removed".formatted(scratch), e);
        }
    }

    static void remove(Path folder) throws IOException {
        if (Files.exists(folder)) {
            Files.walkFileTree(folder, new Removal());
        }
    }

    private static final class Removal extends SimpleFileVisitor<Path> {
        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure) throws IOException {
            Files.deleteIfExists(folder);
            return FileVisitResult.CONTINUE;
        }
    }
}

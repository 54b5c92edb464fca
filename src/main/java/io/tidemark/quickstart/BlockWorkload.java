package io.tidemark.quickstart;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Writes stamped blocks straight into an image file, each durable before the next: for where nothing may be mounted.
 * Every block carries its number, fills itself from it and ends with its checksum, so a copy can be judged block by
 * block.
 */
final class BlockWorkload implements Workload {
    private static final int BLOCK_BYTES = 4096;
    private static final int BLOCK_COUNT = 16_384;
    private static final long MAGIC = 0x7469_6465_6d61_726bL;
    private static final int CHECKSUM_OFFSET = BLOCK_BYTES - Integer.BYTES;
    /** Odd, so that it visits every block before it comes back to one. */
    private static final int STRIDE = 7_919;

    private final Cleanup cleanup;
    private final Narrator narrator;
    private @Nullable SequenceWriter writer;

    BlockWorkload(Cleanup cleanup, Narrator narrator) {
        this.cleanup = cleanup;
        this.narrator = narrator;
    }

    @Override
    public long volumeBytes() {
        return (long) BLOCK_COUNT * BLOCK_BYTES;
    }

    @Override
    public void start(Path device) throws QuickstartException {
        try {
            var started = new SequenceWriter(
                    new Image(FileChannel.open(device, StandardOpenOption.WRITE, StandardOpenOption.DSYNC)));
            cleanup.add(started);
            writer = started;
            started.start();
            narrator.say(
                    "a writer stamps blocks of %d bytes into %s, each durable before the next", BLOCK_BYTES, device);
        } catch (IOException e) {
            throw new QuickstartException("%s cannot be written: %s".formatted(device, e.getMessage()), e);
        }
    }

    static int blockOf(int number) {
        return (int) ((long) number * STRIDE % BLOCK_COUNT);
    }

    static ByteBuffer blockFor(int number) {
        var block = ByteBuffer.allocate(BLOCK_BYTES);
        block.putLong(MAGIC).putInt(number);
        var random = new SplittableRandom(number);
        while (block.position() <= CHECKSUM_OFFSET - Long.BYTES) {
            block.putLong(random.nextLong());
        }
        return block.putInt(CHECKSUM_OFFSET, checksum(block)).clear();
    }

    private static int checksum(ByteBuffer block) {
        var checksum = new CRC32C();
        checksum.update(block.slice(0, CHECKSUM_OFFSET));
        return (int) checksum.getValue();
    }

    /** @return 0 for a block that holds no whole number */
    static int numberIn(ByteBuffer block) {
        boolean whole = block.getLong(0) == MAGIC && block.getInt(CHECKSUM_OFFSET) == checksum(block);
        return whole ? block.getInt(Long.BYTES) : 0;
    }

    private record Image(FileChannel channel) implements SequenceWriter.Target {
        @Override
        public void write(int number) throws IOException {
            var block = blockFor(number);
            long offset = (long) blockOf(number) * BLOCK_BYTES;
            while (block.hasRemaining()) {
                channel.write(block, offset + block.position());
            }
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    @Override
    public List<Map<String, Object>> quiescers() {
        return List.of();
    }

    private SequenceWriter writer() {
        if (writer == null) {
            throw new AssertionError("the writer was not started");
        }
        return writer;
    }

    @Override
    public SequenceLog log() {
        return writer().log();
    }

    @Override
    public void writeMore(int seconds) throws QuickstartException {
        try {
            Thread.sleep(Duration.ofSeconds(seconds));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QuickstartException("interrupted", e);
        }
    }

    @Override
    public void check() throws QuickstartException {
        writer().check();
    }

    @Override
    public void stopWriting() throws QuickstartException {
        writer().close();
    }

    @Override
    public Proof prove(Path clone, Cut cut, long askedNanos) throws QuickstartException {
        var present = numbersIn(clone, log().last());
        double millis = (System.nanoTime() - askedNanos) / 1e6;
        return new Proof(
                log().acknowledgedBefore(cut.fromNanos()),
                log().lost(present, cut.fromNanos()),
                log().fromTheFuture(present, cut.toNanos()),
                millis,
                List.of("every stamped block's own checksum"),
                List.of());
    }

    /** A number counts as there when its block holds it or one that came later to the same block. */
    private static BitSet numbersIn(Path image, int last) throws QuickstartException {
        int[] held = new int[BLOCK_COUNT];
        var present = new BitSet();
        try (var file = new RandomAccessFile(image.toFile(), "r")) {
            byte[] block = new byte[BLOCK_BYTES];
            for (int index = 0; index < BLOCK_COUNT; index++) {
                file.readFully(block);
                held[index] = numberIn(ByteBuffer.wrap(block));
                present.set(held[index]);
            }
        } catch (IOException e) {
            throw new QuickstartException("%s cannot be read: %s".formatted(image, e.getMessage()), e);
        }
        for (int number = 1; number <= last; number++) {
            if (held[blockOf(number)] >= number) {
                present.set(number);
            }
        }
        return present;
    }
}

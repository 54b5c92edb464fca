package io.tidemark.provider.image;

import io.tidemark.provider.conformance.TestStorage;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;

/** Changes an image file in every way a file system knows: what a loop device, qemu or an operator may do to it. */
final class HostileWriter {
    private static final int PAGE = 4096;

    private final TestStorage storage;
    private final Path image;
    private final Random random;

    HostileWriter(TestStorage storage, Path image, Random random) {
        this.storage = storage;
        this.image = image;
        this.random = random;
    }

    void changeOnce() throws Exception {
        try (var channel = FileChannel.open(image, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            long size = channel.size();
            long offset = random.nextLong(Math.max(1, size - 1));
            int length = 1 + random.nextInt(random.nextInt(6) == 0 ? 400_000 : 30_000);
            switch (random.nextInt(10)) {
                case 0 -> punch(offset, length);
                case 1 -> command("fallocate", "--zero-range", "--keep-size", offset, length);
                case 2 -> channel.truncate(Math.max(PAGE, size - random.nextInt(150_000)));
                case 3 -> channel.write(bytes(100), size + random.nextInt(150_000));
                case 4 -> shareWithin(size);
                case 5 -> {
                    punch(offset, length);
                    command("fallocate", "--keep-size", offset, length);
                }
                case 6 -> {
                    channel.truncate(Math.max(PAGE, size - random.nextInt(50_000)));
                    channel.write(bytes(1), size - 1);
                }
                default -> channel.write(bytes(length), offset);
            }
            if (random.nextInt(3) == 0) {
                channel.force(true);
            }
        }
    }

    private void punch(long offset, int length) throws Exception {
        command("fallocate", "--punch-hole", offset, length);
    }

    private void command(String program, String option, long offset, int length) throws Exception {
        storage.must(
                program,
                option,
                "--offset",
                Long.toString(offset),
                "--length",
                Integer.toString(length),
                image.toString());
    }

    private void command(String program, String one, String other, long offset, int length) throws Exception {
        storage.must(
                program,
                one,
                other,
                "--offset",
                Long.toString(offset),
                "--length",
                Integer.toString(length),
                image.toString());
    }

    /** Makes one place of the file share another's extents, as deduplication does. */
    private void shareWithin(long size) throws Exception {
        long pages = size / PAGE;
        if (pages < 8) {
            return;
        }
        long half = pages / 2;
        long length = (1 + random.nextLong(Math.min(half, 20))) * PAGE;
        long from = random.nextLong(half - length / PAGE + 1) * PAGE;
        long to = (half + random.nextLong(half - length / PAGE + 1)) * PAGE;
        storage.must("xfs_io", "-c", "reflink %s %d %d %d".formatted(image, from, to, length), image.toString());
    }

    private ByteBuffer bytes(int length) {
        var bytes = new byte[length];
        if (random.nextInt(5) > 0) {
            random.nextBytes(bytes);
        }
        return ByteBuffer.wrap(bytes);
    }
}

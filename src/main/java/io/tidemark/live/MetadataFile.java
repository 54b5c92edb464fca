package io.tidemark.live;

import io.tidemark.replication.live.ActivityLogRing;
import io.tidemark.replication.live.DirtyBitmap;
import io.tidemark.replication.live.Generation;
import io.tidemark.replication.live.LiveEffect;
import io.tidemark.replication.live.LiveSettings;
import io.tidemark.replication.live.LiveStart;
import io.tidemark.replication.live.MetadataFormat;
import io.tidemark.replication.live.Superblock;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Optional;

/**
 * A copy's metadata in a file; docs/formats/live-metadata.md. Of one process: its folder's lock keeps others out. One
 * thread at a time.
 */
final class MetadataFile implements AutoCloseable {
    private static final byte[] NO_PAGE = new byte[DirtyBitmap.PAGE_BYTES];

    private final MetadataFormat format;
    private final FileChannel channel;
    private final Begun begun;
    private long sequence;
    private Optional<Generation> generation = Optional.empty();

    private MetadataFile(MetadataFormat format, FileChannel channel, Begun begun) {
        this.format = format;
        this.channel = channel;
        this.begun = begun;
    }

    /** A new one, durable on return but for its name, which is the folder's. */
    static void create(Path path, LiveSettings settings) throws IOException {
        var format = MetadataFormat.of(settings);
        try (var channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            var file = new MetadataFile(format, channel, (before, now) -> {});
            // Its end, so that no later write makes it longer: the rest is a hole until it is written.
            file.write(format.bytes() - 1, ByteBuffer.allocate(1));
            file.write(MetadataFormat.superblockAt(0), ByteBuffer.wrap(format.superblock(Superblock.none(), 0)));
            channel.force(true);
        }
    }

    /** @throws IOException where the file is of another copy or version, or damaged more than a crash can */
    static MetadataFile open(Path path, LiveSettings settings) throws IOException {
        return open(path, settings, (before, now) -> {});
    }

    /** Told of each generation that has become the content's, once that is durable; never waits. */
    interface Begun {
        void begun(Optional<Generation> before, Generation now);
    }

    /**
     * @throws IOException where the file is of another copy or version, or damaged more than a crash can
     */
    static MetadataFile open(Path path, LiveSettings settings, Begun begun) throws IOException {
        return new MetadataFile(
                MetadataFormat.of(settings),
                FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE),
                begun);
    }

    /** What the copy begins with; what may have been torn by a crash is written anew by the copy itself. */
    LiveStart start() throws IOException {
        try {
            var found = format.newest(
                    read(MetadataFormat.superblockAt(0), MetadataFormat.BLOCK_BYTES),
                    read(MetadataFormat.superblockAt(1), MetadataFormat.BLOCK_BYTES));
            sequence = found.sequence() + 1;
            generation = found.superblock().generations().current();
            var bitmap = new DirtyBitmap(format.sizeBytes());
            for (int page = 0; page < DirtyBitmap.pageCount(format.sizeBytes()); page++) {
                var bytes = read(format.pageAt(page), DirtyBitmap.PAGE_BYTES);
                if (!Arrays.equals(bytes, NO_PAGE)) {
                    bitmap.load(page, bytes);
                }
            }
            var recovered = ActivityLogRing.recover(
                    format.activityLogExtents(), read(MetadataFormat.ringAt(), format.ringBytes()));
            return LiveStart.of(
                    found.superblock(), bitmap, format.sizeBytes(), recovered.hot(), recovered.nextSequence());
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private byte[] read(long at, int length) throws IOException {
        var bytes = ByteBuffer.allocate(length);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, at + bytes.position()) < 0) {
                throw new EOFException("the metadata ends at byte %d of %d".formatted(channel.size(), format.bytes()));
            }
        }
        return bytes.array();
    }

    /** Durable on return. */
    void persist(LiveEffect.Persist persist) throws IOException {
        if (persist.superblock().isPresent()) {
            var block = format.superblock(persist.superblock().get(), sequence);
            write(MetadataFormat.superblockAt(sequence), ByteBuffer.wrap(block));
            sequence++;
        }
        for (var page : persist.pages().entrySet()) {
            write(format.pageAt(page.getKey()), ByteBuffer.wrap(page.getValue()));
        }
        if (persist.transaction().isPresent()) {
            var transaction = persist.transaction().get();
            write(
                    MetadataFormat.ringAt() + (long) transaction.position() * ActivityLogRing.BLOCK_BYTES,
                    transaction.block().duplicate());
        }
        channel.force(false);
        persist.superblock().ifPresent(written -> {
            var before = generation;
            generation = written.generations().current();
            generation.filter(now -> !before.equals(Optional.of(now))).ifPresent(now -> begun.begun(before, now));
        });
    }

    private void write(long at, ByteBuffer bytes) throws IOException {
        long next = at;
        while (bytes.hasRemaining()) {
            next += channel.write(bytes, next);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}

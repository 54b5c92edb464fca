package io.tidemark.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import io.tidemark.replication.live.ActivityLog;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.CopyId;
import io.tidemark.replication.live.DirtyBitmap;
import io.tidemark.replication.live.Generation;
import io.tidemark.replication.live.Generations;
import io.tidemark.replication.live.LiveEffect;
import io.tidemark.replication.live.LiveSettings;
import io.tidemark.replication.live.LiveStart;
import io.tidemark.replication.live.MetadataFormat;
import io.tidemark.replication.live.Protocol;
import io.tidemark.replication.live.Superblock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetadataFileTest {
    private static final int MIB = 1 << 20;
    /** Two pages of the bitmap, and a block that is not whole at the end. */
    private static final long SIZE = 140L * MIB + 512;

    private static final int BLOCKS_OF_EXTENT = ActivityLog.EXTENT_BYTES / DirtyBitmap.BLOCK_BYTES;

    @TempDir
    Path folder;

    private Path path;

    @BeforeEach
    void create() throws IOException {
        path = folder.resolve("metadata");
        MetadataFile.create(path, settings("a", "b"));
    }

    private static LiveSettings settings(String self, String peer) {
        return settings(self, peer, SIZE, 128);
    }

    private static LiveSettings settings(String self, String peer, long sizeBytes, int extents) {
        return new LiveSettings(
                new CopyId(self),
                new CopyId(peer),
                sizeBytes,
                Protocol.C,
                Congestion.BLOCK,
                MIB,
                extents,
                64,
                16,
                1_000,
                false);
    }

    private static Superblock superblock(long generation) {
        return new Superblock(
                new Generations(Optional.of(new Generation(generation)), Map.of(), List.of()), true, false, true);
    }

    private static LiveEffect.Persist persist(Superblock superblock) {
        return new LiveEffect.Persist(1, Optional.of(superblock), Map.of(), Optional.empty());
    }

    private LiveStart started() throws IOException {
        try (var file = MetadataFile.open(path, settings("a", "b"))) {
            return file.start();
        }
    }

    private void write(long at, byte[] bytes) throws IOException {
        try (var channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(bytes), at);
        }
    }

    @Test
    void aNewOneIsOfACopyThatWasNeverWritten() throws Exception {
        var start = started();

        assertThat(start.superblock()).isEqualTo(Superblock.none());
        assertThat(start.bitmap().dirtyBlocks()).isZero();
        assertThat(start.nextSequence()).isZero();
        assertThatIOException()
                .isThrownBy(() -> MetadataFile.create(path, settings("a", "b")))
                .isInstanceOf(FileAlreadyExistsException.class);
    }

    @Test
    void whatWasMadeDurableIsFoundAgainAndTheFileNeverGrows() throws Exception {
        long before = Files.size(path);
        var bitmap = new DirtyBitmap(SIZE);
        bitmap.mark(5 * 4_096, 1);
        bitmap.mark(SIZE - 1, 1);
        var log = new ActivityLog(128, 0);
        log.begin(2);
        try (var file = MetadataFile.open(path, settings("a", "b"))) {
            file.start();
            for (int change = 1; change <= 5; change++) {
                file.persist(persist(superblock(change)));
            }
            file.persist(new LiveEffect.Persist(
                    6, Optional.empty(), Map.of(0, bitmap.page(0), 1, bitmap.page(1)), log.next()));
        }

        var start = started();

        assertThat(DirtyBitmap.pageCount(SIZE)).isEqualTo(2);
        assertThat(start.superblock()).isEqualTo(superblock(5));
        // What was hot in the activity log may differ.
        assertThat(start.bitmap().dirtyBlocks()).isEqualTo(2 + BLOCKS_OF_EXTENT);
        assertThat(start.bitmap().isDirty(5)).isTrue();
        assertThat(start.bitmap().isDirty(2 * BLOCKS_OF_EXTENT)).isTrue();
        assertThat(start.nextSequence()).isEqualTo(1);
        assertThat(Files.size(path)).isEqualTo(before);
    }

    @Test
    void aTornSuperblockLeavesTheOneBefore() throws Exception {
        try (var file = MetadataFile.open(path, settings("a", "b"))) {
            file.start();
            file.persist(persist(superblock(1)));
            file.persist(persist(superblock(2)));
        }
        // The first that was made has 0, these have 1 and 2.
        write(MetadataFormat.superblockAt(2) + 60, new byte[] {1, 2, 3});
        assertThat(started().superblock()).isEqualTo(superblock(1));

        try (var file = MetadataFile.open(path, settings("a", "b"))) {
            file.start();
            file.persist(persist(superblock(3)));
        }
        assertThat(started().superblock()).isEqualTo(superblock(3));
        write(MetadataFormat.superblockAt(0), new byte[MetadataFormat.BLOCK_BYTES]);
        write(MetadataFormat.superblockAt(1), new byte[MetadataFormat.BLOCK_BYTES]);
        assertThatIOException().isThrownBy(this::started).withMessageContaining("no superblock of copy a holds");
    }

    @Test
    void thatOfAnotherCopyOrVolumeIsRefused() {
        refused(settings("a", "c"), "of another peer: b, not c");
        refused(settings("c", "b"), "of another copy: a, not c");
        refused(settings("a", "b", SIZE - 512, 128), "of another volume's size: " + SIZE);
        refused(settings("a", "b", SIZE, 129), "of another activity log's extents: 128, not 129");
    }

    private void refused(LiveSettings other, String why) {
        assertThatIOException()
                .isThrownBy(() -> {
                    try (var file = MetadataFile.open(path, other)) {
                        file.start();
                    }
                })
                .withMessageContaining(why);
    }

    @Test
    void aLaterVersionIsRefused() throws Exception {
        byte[] block = new byte[MetadataFormat.BLOCK_BYTES];
        try (var channel = FileChannel.open(path)) {
            channel.read(ByteBuffer.wrap(block), 0);
        }
        ByteBuffer.wrap(block).putInt(8, 2);
        var sum = new CRC32C();
        sum.update(block, 8, block.length - 8);
        ByteBuffer.wrap(block).putInt(4, (int) sum.getValue());
        write(0, block);

        assertThatIOException().isThrownBy(this::started).withMessageContaining("of another version: 2, not 1");
    }

    @Test
    void oneThatIsCutAnywhereIsRefused() throws Exception {
        long whole = Files.size(path);
        for (long length : new long[] {whole - 1, whole / 2, MetadataFormat.BLOCK_BYTES, 1, 0}) {
            try (var channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
                channel.truncate(length);
            }
            assertThatIOException()
                    .isThrownBy(this::started)
                    .withMessageContaining("ends at byte %d of %d", length, whole);
        }
    }

    @Test
    void aPageOfTheBitmapThatDoesNotHoldIsDirtyAsAWhole() throws Exception {
        var bitmap = new DirtyBitmap(SIZE);
        bitmap.mark(0, 1);
        try (var file = MetadataFile.open(path, settings("a", "b"))) {
            file.start();
            file.persist(new LiveEffect.Persist(1, Optional.empty(), Map.of(0, bitmap.page(0)), Optional.empty()));
        }
        write(MetadataFormat.of(settings("a", "b")).pageAt(0) + 2_000, new byte[] {1});

        var found = started().bitmap();
        assertThat(found.isDirty(1)).isTrue();
        long inSecond = SIZE / DirtyBitmap.BLOCK_BYTES;
        assertThat(found.isDirty(inSecond)).isFalse();
        assertThat(found.dirtyBlocks()).isGreaterThan(30_000).isLessThan(inSecond);
    }
}

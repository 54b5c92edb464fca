package io.tidemark.provider.btrfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import io.tidemark.provider.devices.SendAttributes;
import io.tidemark.provider.devices.SendFraming;
import io.tidemark.spi.ProviderException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a stream may say to a program that is root. */
class StreamFilterTest {
    private static final UUID NEWER = new UUID(1, 2);
    private static final UUID OLDER = new UUID(3, 4);
    private static final UUID BASE = new UUID(5, 6);

    private static final int SUBVOLUME = 1;
    private static final int SNAPSHOT = 2;
    private static final int MKFILE = 3;
    private static final int SYMLINK = 8;
    private static final int RENAME = 9;
    private static final int LINK = 10;
    private static final int WRITE = 15;
    private static final int CLONE = 16;
    private static final int END = 21;
    private static final int UPDATE_EXTENT = 22;
    private static final int ENCODED_WRITE = 25;

    private final List<StreamFilter.Start> starts = new ArrayList<>();
    private final ByteArrayOutputStream passed = new ByteArrayOutputStream();

    private final StreamFilter filter = new StreamFilter(new StreamFilter.Target() {
        @Override
        public Optional<UUID> start(StreamFilter.Start start) {
            starts.add(start);
            return start.older().map(_ -> BASE);
        }

        @Override
        public void pass(byte[] bytes) {
            passed.writeBytes(bytes);
        }
    });

    @Test
    void subvolumeGetsOurNameAndOurBase() throws Exception {
        take(SendFraming.opening(1), snapshot("../../etc"), path(MKFILE, "file"), command(END));

        assertThat(starts).containsExactly(new StreamFilter.Start(1, NEWER, 7, Optional.of(OLDER)));
        assertThat(filter.ended()).isTrue();
        var first = new SendAttributes.Writer()
                .add(SendAttributes.PATH, bytes(StreamFilter.NAME))
                .add(SendAttributes.IDENTITY, NEWER)
                .add(SendAttributes.TRANSACTION, 7)
                .add(SendAttributes.CLONE_UUID, BASE)
                .add(SendAttributes.CLONE_TRANSACTION, 8);
        assertThat(passed.toByteArray())
                .isEqualTo(
                        joined(SendFraming.opening(1), command(SNAPSHOT, first), path(MKFILE, "file"), command(END)));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 16, 17, 18, 1000})
    void piecesOfAnySizeAreTheSameStream(int length) throws Exception {
        var stream = joined(SendFraming.opening(2), whole(), path(MKFILE, "a/b"), command(END));

        for (int at = 0; at < stream.length; at += length) {
            filter.take(ByteBuffer.wrap(stream, at, Math.min(length, stream.length - at)));
        }

        assertThat(filter.ended()).isTrue();
        assertThat(passed.toByteArray()).endsWith(joined(path(MKFILE, "a/b"), command(END)));
    }

    @Test
    void bytesAreSharedWithItselfAndItsBaseAlone() throws Exception {
        take(SendFraming.opening(1), snapshot("home"), clone(NEWER), clone(OLDER));
        assertThat(passed.toByteArray()).endsWith(joined(clone(NEWER), clone(BASE)));

        refused("takes bytes of subvolume", clone(BASE));
    }

    @Test
    void wholeStreamSharesBytesWithItselfAlone() throws Exception {
        take(SendFraming.opening(1), whole(), clone(NEWER));

        refused("takes bytes of subvolume", clone(OLDER));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/etc/passwd", "..", "../x", "a/../../x", "a/..", "a\0b"})
    void pathsOutsideAreRefused(String path) throws Exception {
        take(SendFraming.opening(1), whole());
        int before = passed.size();

        refused("outside", path(MKFILE, path));
        assertThat(passed.size()).isEqualTo(before);
    }

    @Test
    void everyPathOfACommandIsLookedAt() throws Exception {
        take(SendFraming.opening(1), whole(), path(MKFILE, "..a/b.."), two(SYMLINK, SendAttributes.PATH_LINK));

        for (var command : List.of(
                two(RENAME, SendAttributes.PATH_TO),
                two(LINK, SendAttributes.PATH_LINK),
                two(CLONE, SendAttributes.CLONE_PATH))) {
            var fresh = new StreamFilterTest();
            fresh.take(SendFraming.opening(1), whole());
            fresh.refused("outside", command);
        }
    }

    @Test
    void streamsThatAreNotOneSubvolumeAreRefused() throws Exception {
        new StreamFilterTest().refused("begins with command", SendFraming.opening(1), path(MKFILE, "file"));
        new StreamFilterTest().refused("second subvolume", SendFraming.opening(1), whole(), whole());
        new StreamFilterTest().refused("second subvolume", SendFraming.opening(1), whole(), snapshot("x"));
        new StreamFilterTest()
                .refused("without the data", SendFraming.opening(1), whole(), path(UPDATE_EXTENT, "file"));
        new StreamFilterTest().refused("unknown command", SendFraming.opening(1), whole(), command(ENCODED_WRITE));
        new StreamFilterTest().refused("unknown command", SendFraming.opening(2), whole(), command(26));
        new StreamFilterTest().refused("unknown command", SendFraming.opening(3), whole(), command(27));
        new StreamFilterTest().refused("follow its end", SendFraming.opening(1), whole(), command(END), command(END));
        new StreamFilterTest().refused("not a btrfs stream", bytes("zfs-stream, or anything else"));
        new StreamFilterTest().refused("version 4", SendFraming.opening(4));
        new StreamFilterTest()
                .refused(
                        "comes twice",
                        SendFraming.opening(1),
                        whole(),
                        command(
                                MKFILE,
                                new SendAttributes.Writer()
                                        .add(SendAttributes.PATH, bytes("file"))
                                        .add(SendAttributes.PATH, bytes("../file"))));
        assertThat(starts).isEmpty();
    }

    @Test
    void dataWithoutALengthOfItsOwnPasses() throws Exception {
        var command = command(
                WRITE,
                new SendAttributes.Writer()
                        .add(SendAttributes.PATH, bytes("file"))
                        .add(SendAttributes.FILE_OFFSET, 0)
                        .openData(new byte[100_000]));

        take(SendFraming.opening(2), whole(), command);

        assertThat(passed.toByteArray()).endsWith(command);
    }

    @Test
    void everyFlippedBitAndEveryEarlyEndIsFound() throws Exception {
        var stream = joined(SendFraming.opening(1), snapshot("home"), clone(OLDER), path(MKFILE, "file"), command(END));
        var random = new Random(11);
        for (int index = 0; index < stream.length; index++) {
            var flipped = stream.clone();
            flipped[index] ^= (byte) (1 << random.nextInt(8));
            assertThat(isFound(flipped)).as("byte %d", index).isTrue();
        }
        for (int length = 0; length < stream.length; length++) {
            var fresh = new StreamFilterTest();
            fresh.filter.take(ByteBuffer.wrap(Arrays.copyOf(stream, length)));
            assertThat(fresh.filter.ended()).as("%d bytes", length).isFalse();
        }
    }

    /** By a complaint; by waiting for more, where it is of a length; or as another version, which receive refuses. */
    private static boolean isFound(byte[] stream) throws ProviderException {
        var fresh = new StreamFilterTest();
        try {
            fresh.filter.take(ByteBuffer.wrap(stream));
            return !fresh.filter.ended() || fresh.starts.getFirst().version() == SendFraming.VERSION_MAXIMUM;
        } catch (IOException e) {
            return true;
        }
    }

    private void take(byte[]... parts) throws IOException, ProviderException {
        filter.take(ByteBuffer.wrap(joined(parts)));
    }

    private void refused(String evidence, byte[]... parts) {
        assertThatIOException().isThrownBy(() -> take(parts)).withMessageContaining(evidence);
    }

    private static byte[] whole() {
        return command(
                SUBVOLUME,
                new SendAttributes.Writer()
                        .add(SendAttributes.PATH, bytes("home"))
                        .add(SendAttributes.IDENTITY, NEWER)
                        .add(SendAttributes.TRANSACTION, 7));
    }

    private static byte[] snapshot(String name) {
        return command(
                SNAPSHOT,
                new SendAttributes.Writer()
                        .add(SendAttributes.PATH, bytes(name))
                        .add(SendAttributes.IDENTITY, NEWER)
                        .add(SendAttributes.TRANSACTION, 7)
                        .add(SendAttributes.CLONE_UUID, OLDER)
                        .add(SendAttributes.CLONE_TRANSACTION, 8));
    }

    private static byte[] clone(UUID from) {
        return command(
                CLONE,
                new SendAttributes.Writer()
                        .add(SendAttributes.PATH, bytes("file"))
                        .add(SendAttributes.CLONE_UUID, from)
                        .add(SendAttributes.CLONE_PATH, bytes("other")));
    }

    private static byte[] path(int code, String path) {
        return command(code, new SendAttributes.Writer().add(SendAttributes.PATH, bytes(path)));
    }

    private static byte[] two(int code, int other) {
        return command(
                code,
                new SendAttributes.Writer()
                        .add(SendAttributes.PATH, bytes("file"))
                        .add(SendAttributes.CLONE_UUID, NEWER)
                        .add(other, bytes("../../etc/shadow")));
    }

    private static byte[] command(int code) {
        return SendFraming.command(code, new byte[0]);
    }

    private static byte[] command(int code, SendAttributes.Writer attributes) {
        return SendFraming.command(code, attributes.bytes());
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] joined(byte[]... parts) {
        var all = new ByteArrayOutputStream();
        for (var part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }
}

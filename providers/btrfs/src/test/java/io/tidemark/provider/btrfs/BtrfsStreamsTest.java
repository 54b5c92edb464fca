package io.tidemark.provider.btrfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.provider.devices.SendAttributes;
import io.tidemark.provider.devices.SendFraming;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.VolumeId;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Streams of Btrfs, from one volume of a folder to another: all of it is one file system, so that UUIDs meet. */
class BtrfsStreamsTest extends BtrfsGround {
    private static final VolumeId COPY = VolumeId.of("btrfs", "copy");
    private static final RecoveryPointId ONE = new RecoveryPointId("rp-one");
    private static final RecoveryPointId TWO = new RecoveryPointId("rp-two");

    private static final int WRITE = 15;

    private static byte[] sent(BtrfsProvider provider, Optional<RecoveryPointId> older, SnapshotId newer)
            throws Exception {
        var bytes = new ByteArrayOutputStream();
        try (var outgoing = provider.send(older, newer)) {
            var piece = ByteBuffer.allocate(1 << 16);
            while (outgoing.read(piece) >= 0) {
                bytes.write(piece.array(), 0, piece.position());
                piece.clear();
            }
        }
        return bytes.toByteArray();
    }

    private Snapshot take(Optional<RecoveryPointId> older, SnapshotId newer, byte[] stream) throws Exception {
        try (var incoming = provider().receive(older, newer)) {
            incoming.write(ByteBuffer.wrap(stream));
            return incoming.finish();
        }
    }

    private void carry(VolumeId from, VolumeId to, Optional<RecoveryPointId> older, RecoveryPointId newer)
            throws Exception {
        take(older, new SnapshotId(to, newer), sent(provider(), older, new SnapshotId(from, newer)));
        provider().rollback(new SnapshotId(to, newer));
    }

    private Path work() {
        return folder().resolve(".tidemark/btrfs/work");
    }

    private List<SnapshotId> listed(VolumeId volume) throws Exception {
        return provider().snapshots(SnapshotQuery.ofVolume(volume)).snapshots().stream()
                .map(Snapshot::id)
                .toList();
    }

    /** What a stream builds upon is found although both volumes have it, in both directions. */
    @Test
    void volumesOfOneFileSystemReplicateThereAndBack() throws Exception {
        var home = make("home", "old");
        storage().must("dd", "if=/dev/urandom", "of=" + home.resolve("large"), "bs=1M", "count=2", "status=none");
        var copy = make("copy", "");
        Files.delete(copy.resolve("file"));
        cut(provider(), HOME, "rp-one");
        carry(HOME, COPY, Optional.empty(), ONE);
        storage().must("cp", "--reflink=always", copy.resolve("large").toString(), copy + "/shared");
        cut(provider(), COPY, "rp-two");

        carry(COPY, HOME, Optional.of(ONE), TWO);

        storage()
                .must(
                        "cmp",
                        copy.resolve("large").toString(),
                        home.resolve("shared").toString());
        assertThat(home.resolve("file")).hasContent("old");
        Files.writeString(home.resolve("file"), "newest");
        cut(provider(), HOME, "rp-three");
        carry(HOME, COPY, Optional.of(TWO), new RecoveryPointId("rp-three"));
        assertThat(copy.resolve("file")).hasContent("newest");
        assertThat(DurableFiles.entries(work())).isEmpty();
    }

    @Test
    void bytesOfTheOlderSnapshotAreSharedAndNotSentAgain() throws Exception {
        var home = make("home", "old");
        storage().must("dd", "if=/dev/urandom", "of=" + home.resolve("large"), "bs=1M", "count=2", "status=none");
        make("copy", "");
        cut(provider(), HOME, "rp-one");
        carry(HOME, COPY, Optional.empty(), ONE);
        storage().must("cp", "--reflink=always", home.resolve("large").toString(), home + "/moved");
        Files.delete(home.resolve("large"));
        var two = cut(provider(), HOME, "rp-two");

        assertThat(sent(provider(), Optional.of(ONE), two)).hasSizeLessThan(10_000);
        carry(HOME, COPY, Optional.of(ONE), TWO);

        storage()
                .must(
                        "cmp",
                        home.resolve("moved").toString(),
                        folder().resolve("copy/moved").toString());
    }

    @Test
    void compressedDataTravelAsTheyAre() throws Exception {
        var home = make("home", "old");
        storage().must("btrfs", "property", "set", home.toString(), "compression", "zstd");
        Files.write(home.resolve("zeros"), "text ".repeat(2_000_000).getBytes(StandardCharsets.UTF_8));
        make("copy", "");
        var one = cut(provider(), HOME, "rp-one");

        assertThat(sent(provider(), Optional.empty(), one)).hasSizeLessThan(2_000_000);
        carry(HOME, COPY, Optional.empty(), ONE);

        storage()
                .must(
                        "cmp",
                        home.resolve("zeros").toString(),
                        folder().resolve("copy/zeros").toString());
    }

    @Test
    void snapshotThatSomebodyHasWrittenToIsNeitherSentNorBuiltUpon() throws Exception {
        make("home", "old");
        make("copy", "");
        var one = cut(provider(), HOME, "rp-one");
        carry(HOME, COPY, Optional.empty(), ONE);
        var two = cut(provider(), HOME, "rp-two");
        for (var name : List.of("home@rp-one", "copy@rp-one")) {
            var path = folder().resolve(".tidemark/btrfs/snapshots/" + name).toString();
            storage().must("btrfs", "property", "set", "-f", path, "ro", "false");
            Files.writeString(Path.of(path, "file"), "forged");
            storage().must("sync", "-f", path);
            storage().must("btrfs", "property", "set", path, "ro", "true");
        }

        assertThat(errorOf(ProviderError.Corrupt.class, () -> provider().send(Optional.empty(), one))
                        .evidence())
                .contains("made it writable");
        errorOf(ProviderError.Corrupt.class, () -> provider().send(Optional.of(ONE), two));
        errorOf(ProviderError.Corrupt.class, () -> provider().receive(Optional.of(ONE), new SnapshotId(COPY, TWO)));
        errorOf(ProviderError.Corrupt.class, () -> provider().changedSince(COPY, Optional.of(ONE)));
    }

    @Test
    void wrongBaseNamesBoth() throws Exception {
        make("home", "old");
        make("copy", "");
        var one = cut(provider(), HOME, "rp-one");
        var two = cut(provider(), HOME, "rp-two");
        var stream = sent(provider(), Optional.of(ONE), two);
        var other = cut(provider(), COPY, "rp-one");

        var evidence = errorOf(
                        ProviderError.Corrupt.class, () -> take(Optional.of(ONE), new SnapshotId(COPY, TWO), stream))
                .evidence();

        assertThat(evidence).contains(uuid(one), uuid(other), "btrfs:copy@rp-one");
        assertThat(DurableFiles.entries(work())).isEmpty();
    }

    private String uuid(SnapshotId snapshot) throws IOException {
        var path = folder().resolve(".tidemark/btrfs/snapshots")
                .resolve(snapshot.volume().name() + "@" + snapshot.recoveryPoint());
        return host().btrfsSubvolume(path).lineage().uuid().toString();
    }

    @Test
    void oneStreamAtATimeComesIntoAVolume() throws Exception {
        make("home", "old");
        make("copy", "");
        cut(provider(), HOME, "rp-one");
        var first = provider().receive(Optional.empty(), new SnapshotId(COPY, ONE));

        errorOf(ProviderError.Busy.class, () -> provider().receive(Optional.empty(), new SnapshotId(COPY, ONE)));
        first.close();

        carry(HOME, COPY, Optional.empty(), ONE);
    }

    @Test
    void olderSnapshotStaysWhileAStreamUponItComesIn() throws Exception {
        make("home", "old");
        var one = cut(provider(), HOME, "rp-one");

        try (var incoming = provider().receive(Optional.of(ONE), new SnapshotId(HOME, TWO))) {
            errorOf(ProviderError.Busy.class, () -> provider().delete(one));
            incoming.close();
        }

        provider().delete(one);
    }

    /** Chroot does not keep root from a disk, once there is a node of it. */
    @Test
    void streamCannotWriteToADevice() throws Exception {
        var home = make("home", "old");
        make("copy", "");
        var disk = storage().base().resolve("somebodys-disk");
        storage().must("truncate", "-s", "1M", disk.toString());
        var device = storage().must("losetup", "-f", "--show", disk.toString()).strip();
        try {
            var minor =
                    Integer.parseInt(storage().must("stat", "-c", "%T", device).strip(), 16);
            storage().must("mknod", home.resolve("node").toString(), "b", "7", String.valueOf(minor));
            var one = cut(provider(), HOME, "rp-one");
            var stream = sent(provider(), Optional.empty(), one);
            var evil = SendFraming.command(
                    WRITE,
                    new SendAttributes.Writer()
                            .add(SendAttributes.PATH, bytes("node"))
                            .add(SendAttributes.FILE_OFFSET, 0)
                            .openData(bytes("evil"))
                            .bytes());

            errorOf(
                    ProviderError.Corrupt.class,
                    () -> take(Optional.empty(), new SnapshotId(COPY, ONE), withAtItsEnd(stream, evil)));

            storage().must("blockdev", "--flushbufs", device);
            assertThat(Files.readAllBytes(disk)).containsOnly(0);
            carry(HOME, COPY, Optional.empty(), ONE);
            assertThat(storage()
                            .must(
                                    "stat",
                                    "-c",
                                    "%F %t",
                                    folder().resolve("copy/node").toString()))
                    .startsWith("block special file 7");
        } finally {
            storage().must("losetup", "-d", device);
        }
    }

    /** The command that ends a stream is its header alone. */
    private static byte[] withAtItsEnd(byte[] stream, byte[] command) {
        var all = new ByteArrayOutputStream();
        int end = stream.length - SendFraming.HEADER_BYTES;
        all.write(stream, 0, end);
        all.writeBytes(command);
        all.write(stream, end, SendFraming.HEADER_BYTES);
        return all.toByteArray();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void streamThatDoesNotFitItsBaseSaysWhatTheProgramSaid() throws Exception {
        make("home", "old");
        make("copy", "");
        var stream = sent(provider(), Optional.empty(), cut(provider(), HOME, "rp-one"));
        var absent = SendFraming.command(
                11,
                new SendAttributes.Writer()
                        .add(SendAttributes.PATH, bytes("absent"))
                        .bytes());

        assertThat(errorOf(
                                ProviderError.Corrupt.class,
                                () -> take(Optional.empty(), new SnapshotId(COPY, ONE), withAtItsEnd(stream, absent)))
                        .evidence())
                .contains("absent", "No such file");
        assertThat(listed(COPY)).isEmpty();
        assertThat(DurableFiles.entries(work())).isEmpty();
    }

    @Test
    void fullFileSystemIsNamed() throws Exception {
        var home = make("home", "old");
        make("copy", "");
        storage().must("btrfs", "quota", "enable", folder().toString());
        try {
            storage().must("dd", "if=/dev/urandom", "of=" + home.resolve("large"), "bs=1M", "count=8", "status=none");
            var stream = sent(provider(), Optional.empty(), cut(provider(), HOME, "rp-one"));

            try (var incoming = provider().receive(Optional.empty(), new SnapshotId(COPY, ONE))) {
                incoming.write(ByteBuffer.wrap(stream, 0, 500));
                var folder = DurableFiles.entries(work()).getFirst();
                storage()
                        .must(
                                "btrfs",
                                "qgroup",
                                "limit",
                                "2M",
                                await(folder.resolve("received")).toString());
                errorOf(ProviderError.OutOfSpace.class, () -> {
                    incoming.write(ByteBuffer.wrap(stream, 500, stream.length - 500));
                    incoming.finish();
                });
            }
            assertThat(DurableFiles.entries(work())).isEmpty();
            take(Optional.empty(), new SnapshotId(COPY, ONE), stream);
        } finally {
            storage().must("btrfs", "quota", "disable", folder().toString());
        }
    }

    private static Path await(Path path) throws Exception {
        for (int tries = 0; tries < 200 && !Files.exists(path); tries++) {
            Thread.sleep(50);
        }
        assertThat(path).exists();
        return path;
    }

    @Test
    void killedProgramIsNoEndOfAStream() throws Exception {
        var home = make("home", "old");
        make("copy", "");
        Files.write(home.resolve("large"), new byte[1 << 20]);
        var random = new byte[8 << 20];
        new Random(3).nextBytes(random);
        Files.write(home.resolve("random"), random);
        var one = cut(provider(), HOME, "rp-one");
        var stream = sent(provider(), Optional.empty(), one);

        try (var outgoing = provider().send(Optional.empty(), one)) {
            outgoing.read(ByteBuffer.allocate(100));
            kill("send");
            var rest = ByteBuffer.allocate(1 << 24);
            assertThat(errorOf(ProviderError.Unexpected.class, () -> {
                        while (outgoing.read(rest) >= 0) {
                            rest.clear();
                        }
                    }))
                    .isNotNull();
        }
        try (var incoming = provider().receive(Optional.empty(), new SnapshotId(COPY, ONE))) {
            incoming.write(ByteBuffer.wrap(stream, 0, 5_000));
            kill("receive");
            errorOf(ProviderError.Unexpected.class, () -> {
                incoming.write(ByteBuffer.wrap(stream, 5_000, stream.length - 5_000));
                incoming.finish();
            });
        }

        assertThat(listed(COPY)).isEmpty();
        assertThat(DurableFiles.entries(work())).isEmpty();
        provider().delete(one);
    }

    /** Of this process's own programs. */
    private static void kill(String what) throws Exception {
        for (int tries = 0; tries < 200; tries++) {
            var program = ProcessHandle.current()
                    .children()
                    .filter(child -> Arrays.asList(child.info().arguments().orElse(new String[0]))
                            .contains(what))
                    .findFirst();
            if (program.isPresent()) {
                program.get().destroyForcibly();
                program.get().onExit().get();
                return;
            }
            Thread.sleep(20);
        }
        throw new AssertionError("no program with the argument " + what);
    }

    @Test
    void probeIsDeletedAndLeavesTheVolumeAsItWas() throws Exception {
        var home = make("home", "old");
        cut(provider(), HOME, "rp-one");
        assertThat(provider().changedSince(HOME, Optional.of(ONE))).isEmpty();
        Files.createDirectory(home.resolve("made"));

        assertThat(provider().changedSince(HOME, Optional.of(ONE))).contains("made was made");
        Files.delete(home.resolve("made"));
        Files.setLastModifiedTime(home.resolve("file"), FileTime.fromMillis(5));
        assertThat(provider().changedSince(HOME, Optional.of(ONE))).isEmpty();
        Files.move(home.resolve("file"), home.resolve("renamed"));
        assertThat(provider().changedSince(HOME, Optional.of(ONE))).contains("renamed was made");
        Files.createDirectory(home.resolve("folder"));
        cut(provider(), HOME, "rp-two");
        Files.move(home.resolve("folder"), home.resolve("folder2"));
        assertThat(provider().changedSince(HOME, Optional.of(TWO))).contains("folder was renamed to folder2");
        Files.delete(home.resolve("renamed"));
        Files.delete(home.resolve("folder2"));
        assertThat(provider().changedSince(HOME, Optional.of(ONE))).contains("file was removed");
        assertThat(provider().changedSince(HOME, Optional.of(TWO))).isPresent();
        cut(provider(), HOME, "rp-three");
        storage().must("chmod", "700", home.toString());
        assertThat(provider().changedSince(HOME, Optional.of(new RecoveryPointId("rp-three"))))
                .contains("the root folder was changed");

        assertThat(DurableFiles.entries(work())).isEmpty();
        assertThat(listed(HOME)).hasSize(3);
    }
}

package io.tidemark.provider.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.CutRequest;
import io.tidemark.spi.FileTrees;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.SnapshotStreams;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** Two storages of one kind, a volume of files on each, and streams between them. */
abstract class StreamGround {
    /** Steps of long work that a test waits for, at most. */
    private static final int STEPS_MAXIMUM = 1_000;

    private Side source;
    private Side target;
    private int pointCount;

    @SuppressWarnings("NullAway.Init") // made before every test
    StreamGround() {}

    /** A provider, and a volume of it. */
    record Side(StorageProvider provider, VolumeId volume) {
        SnapshotStreams streams() {
            return (SnapshotStreams) provider;
        }

        SnapshotId at(RecoveryPointId point) {
            return new SnapshotId(volume, point);
        }
    }

    /** A provider over this test's own storage: empty at the first call of a test, the same storage at each later one. */
    protected abstract StorageProvider open(StreamEnd end) throws Exception;

    /** Makes a volume of files without any file in it, the storage's own way. */
    protected abstract VolumeId make(StorageProvider provider, StreamEnd end) throws Exception;

    /** Makes the files of a volume seen. */
    protected Path root(StorageProvider provider, VolumeId volume) throws Exception {
        return provider.volume(volume).mountPoints().getFirst();
    }

    /** Ends whatever keeps the volume from being rolled back, as its operator would before. */
    protected void putOutOfUse(StorageProvider provider, VolumeId volume) throws Exception {
        assertThat(provider.volume(volume)).isNotNull();
    }

    @BeforeEach
    void makeBoth() throws Exception {
        source = fresh(StreamEnd.SOURCE);
        target = fresh(StreamEnd.TARGET);
    }

    private Side fresh(StreamEnd end) throws Exception {
        var provider = open(end);
        return new Side(provider, make(provider, end));
    }

    @AfterEach
    void closeBoth() {
        source.provider().close();
        target.provider().close();
    }

    final Side source() {
        return source;
    }

    final Side target() {
        return target;
    }

    final void reopenTarget() throws Exception {
        target.provider().close();
        target = new Side(open(StreamEnd.TARGET), target.volume());
    }

    final Path root(Side side) throws Exception {
        return root(side.provider(), side.volume());
    }

    final RecoveryPointId cut(Side side) throws Exception {
        var request = new CutRequest(new RecoveryPointId("rp-%04d".formatted(pointCount++)), List.of(side.volume()));
        side.provider().prepare(request);
        side.provider().cut(request);
        return request.recoveryPoint();
    }

    final RecoveryPointId cutFilled() throws Exception {
        FileTree.fill(root(source), 1);
        return cut(source);
    }

    /** The whole stream, read in pieces of all sizes. */
    static byte[] sent(Side from, Optional<RecoveryPointId> older, RecoveryPointId newer) throws Exception {
        var bytes = new ByteArrayOutputStream();
        var random = new Random(1);
        try (var outgoing = from.streams().send(older, from.at(newer))) {
            var piece = ByteBuffer.allocate(1 << 18);
            piece.limit(1 + random.nextInt(piece.capacity()));
            while (outgoing.read(piece) >= 0) {
                bytes.write(piece.array(), 0, piece.position());
                piece.clear().limit(1 + random.nextInt(piece.capacity()));
            }
            assertThat(outgoing.read(piece)).as("after the end").isEqualTo(-1);
        }
        return bytes.toByteArray();
    }

    /** Takes a stream in, in pieces of all sizes. */
    static Snapshot take(Side into, Optional<RecoveryPointId> older, RecoveryPointId newer, byte[] stream)
            throws Exception {
        var random = new Random(2);
        try (var incoming = into.streams().receive(older, into.at(newer))) {
            int at = 0;
            while (at < stream.length) {
                int length = Math.min(stream.length - at, 1 + random.nextInt(random.nextBoolean() ? 50 : 1 << 18));
                incoming.write(ByteBuffer.wrap(stream, at, length));
                at += length;
            }
            return incoming.finish();
        }
    }

    /** From one side to the other; the volume there then stands at the snapshot. */
    final void carry(Side from, Side to, Optional<RecoveryPointId> older, RecoveryPointId newer) throws Exception {
        take(to, older, newer, sent(from, older, newer));
        rollback(to, newer);
    }

    final void rollback(Side side, RecoveryPointId point) throws Exception {
        putOutOfUse(side.provider(), side.volume());
        Step<?> step = side.provider().rollback(side.at(point));
        for (int count = 0; step instanceof Step.Running<?> running; count++) {
            assertThat(count).as("steps").isLessThan(STEPS_MAXIMUM);
            Thread.sleep(20);
            step = side.provider().resume(running.handle());
        }
    }

    static Map<String, String> files(Side side, RecoveryPointId point) throws Exception {
        try (var tree = ((FileTrees) side.provider()).tree(side.at(point))) {
            return FileTree.of(tree.root());
        }
    }

    static List<RecoveryPointId> listed(Side side) throws ProviderException {
        return side.provider().snapshots(SnapshotQuery.ofVolume(side.volume())).snapshots().stream()
                .map(snapshot -> snapshot.id().recoveryPoint())
                .toList();
    }
}

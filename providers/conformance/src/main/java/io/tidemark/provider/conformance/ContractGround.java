package io.tidemark.provider.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.Cut;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.FileTrees;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;

/** What the parts of the contract stand on: a provider over fresh storage, volumes, and byte-wise truth. */
abstract class ContractGround {
    /** Not a multiple of 4 KiB, so that the short last block is always in play. */
    static final int VOLUME_BYTES = (1 << 20) + 3 * 512;

    static final int PAGE_BYTES = 4096;

    /** What the contract writes to in a volume that is files. */
    private static final String FILE = "content";

    /** Steps of long work that a test waits for, at most. */
    private static final int STEPS_MAXIMUM = 10_000;

    private static final Duration STEP_PAUSE_MAXIMUM = Duration.ofMillis(20);

    private StorageProvider provider;
    private int volumeCount;
    private int recoveryPointCount;

    @SuppressWarnings("NullAway.Init") // the fixture opens it before every test
    ContractGround() {}

    /**
     * A provider over this test's own storage: empty at the first call of a test; where {@link #persistent}, the same
     * storage again at each later one.
     */
    protected abstract StorageProvider open() throws Exception;

    /** Whether what one instance did is there for the next one over the same storage. */
    protected boolean persistent() {
        return true;
    }

    /** Rounds of random writes in the seeded tests. */
    protected int rounds() {
        return 12;
    }

    @BeforeEach
    void openProvider() throws Exception {
        provider = open();
    }

    @AfterEach
    void closeProvider() {
        provider.close();
    }

    /** The provider under test. */
    protected final StorageProvider provider() {
        return provider;
    }

    final void reopen() throws Exception {
        provider.close();
        provider = open();
    }

    /** Skips, saying so, where the volume's storage cannot do what a test is about. */
    final void needs(VolumeId volume, Capability capability) throws ProviderException {
        Assumptions.assumeTrue(
                provider.volume(volume).can(capability), () -> volume + " has no capability " + capability);
    }

    final VolumeId volumeName() {
        return VolumeId.of(provider.name(), "volume-" + volumeCount++);
    }

    /** The id that a volume has which {@link #make} makes under this name. */
    protected VolumeId named(String name) {
        return VolumeId.of(provider.name(), name);
    }

    /** Makes a volume; where the provider's volumes are not made through it, the storage's own way. */
    protected VolumeId make(String name, long sizeBytes) throws Exception {
        return done(provider.startCreate(named(name), sizeBytes)).id();
    }

    /** Makes the files of a volume seen: a clone's may not be mounted. Only for volumes that are files. */
    protected Path root(VolumeId volume) throws Exception {
        return provider.volume(volume).mountPoints().getFirst();
    }

    /** Ends whatever keeps the volume from being rolled back or removed, as its operator would before. */
    protected void putOutOfUse(VolumeId volume) throws Exception {
        assertThat(provider.volume(volume)).isNotNull();
    }

    final VolumeId freshVolume() throws Exception {
        return make("volume-" + volumeCount++, VOLUME_BYTES);
    }

    /** Of which the contract writes and reads the bytes themselves. */
    final VolumeId freshBlocks() throws Exception {
        var volume = freshVolume();
        needs(volume, Capability.RANDOM_READ);
        needs(volume, Capability.RANDOM_WRITE);
        return volume;
    }

    /** Of which the size is the one that was asked for. */
    final VolumeId freshCreated() throws Exception {
        var volume = freshVolume();
        needs(volume, Capability.CREATE);
        return volume;
    }

    final RecoveryPointId recoveryPoint() {
        return new RecoveryPointId("rp-%04d".formatted(recoveryPointCount++));
    }

    final SnapshotId cut(VolumeId volume) throws ProviderException {
        var request = new CutRequest(recoveryPoint(), List.of(volume));
        provider.prepare(request);
        return snapshotOf(provider.cut(request));
    }

    static SnapshotId snapshotOf(Cut cut) {
        return cut.members().getFirst().snapshot().id();
    }

    final Volume cloneOf(SnapshotId snapshot, VolumeId name) throws Exception {
        return done(provider.clone(new CloneRequest(snapshot, name)));
    }

    /** Follows long work to its end. */
    @SuppressWarnings("unchecked") // resume answers the type of the call that gave the handle, says the SPI
    final <T> T done(Step<T> first) throws Exception {
        Step<T> step = first;
        for (int count = 0; count < STEPS_MAXIMUM; count++) {
            switch (step) {
                case Step.Done<T> done -> {
                    return done.result();
                }
                case Step.Running<T> running -> {
                    var pause = running.askAgainAfter();
                    Thread.sleep(pause.compareTo(STEP_PAUSE_MAXIMUM) < 0 ? pause : STEP_PAUSE_MAXIMUM);
                    step = (Step<T>) provider.resume(running.handle());
                }
            }
        }
        throw new AssertionError("work did not end in %d steps".formatted(STEPS_MAXIMUM));
    }

    private boolean files(VolumeId volume) throws ProviderException {
        return provider.volume(volume).can(Capability.FILES);
    }

    final void write(VolumeId volume, long offsetBytes, byte[] bytes) throws Exception {
        if (files(volume)) {
            try (var file =
                    FileChannel.open(root(volume).resolve(FILE), StandardOpenOption.WRITE, StandardOpenOption.CREATE)) {
                assertThat(file.write(ByteBuffer.wrap(bytes), offsetBytes)).isEqualTo(bytes.length);
                file.force(true);
            }
            return;
        }
        try (var writer = provider.write(volume)) {
            writer.write(offsetBytes, ByteBuffer.wrap(bytes));
            writer.flush();
        }
    }

    final byte[] contentOf(SnapshotId snapshot) throws Exception {
        if (provider instanceof FileTrees trees && files(snapshot.volume())) {
            try (var tree = trees.tree(snapshot)) {
                return contentOf(tree.root());
            }
        }
        try (var reader = provider.read(snapshot)) {
            var content = ByteBuffer.allocateDirect(Math.toIntExact(reader.sizeBytes()));
            reader.read(0, content);
            return bytes(content);
        }
    }

    /** A file that is missing, and what is missing of it, reads as zeros, as a new volume does. */
    private static byte[] contentOf(Path root) throws IOException {
        var file = root.resolve(FILE);
        return Files.exists(file) ? Arrays.copyOf(Files.readAllBytes(file), VOLUME_BYTES) : new byte[VOLUME_BYTES];
    }

    final byte[] contentOf(VolumeId volume) throws Exception {
        if (files(volume)) {
            return contentOf(root(volume));
        }
        try (var writer = provider.write(volume)) {
            return contentOf(writer);
        }
    }

    private static byte[] contentOf(VolumeWriter writer) throws ProviderException {
        var content = ByteBuffer.allocateDirect(Math.toIntExact(writer.sizeBytes()));
        writer.read(0, content);
        return bytes(content);
    }

    private static byte[] bytes(ByteBuffer filled) {
        assertThat(filled.remaining()).as("bytes not filled").isZero();
        var content = new byte[filled.flip().remaining()];
        filled.get(content);
        return content;
    }

    static byte[] randomBytes(long seed, int length) {
        var bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    /** Reads the cursor to its end, holding it to order, disjointness, granularity and the image's size. */
    static List<BlockRange> collect(ChangedRanges ranges, long sizeBytes) throws ProviderException {
        var all = new ArrayList<BlockRange>();
        try (ranges) {
            long end = 0;
            for (var next = ranges.next(); next.isPresent(); next = ranges.next()) {
                var range = next.get();
                assertThat(range.offsetBytes())
                        .as("ascending and disjoint: %s", range)
                        .isGreaterThanOrEqualTo(end);
                assertThat(range.offsetBytes() % ranges.granularityBytes())
                        .as("start of %s", range)
                        .isZero();
                end = range.endBytes();
                assertThat(end).as("end of %s", range).isLessThanOrEqualTo(sizeBytes);
                if (end != sizeBytes) {
                    assertThat(end % ranges.granularityBytes())
                            .as("end of %s", range)
                            .isZero();
                }
                all.add(range);
            }
            assertThat(ranges.next()).as("after the end").isEmpty();
        }
        return all;
    }

    /** The error of a call that must fail, as the case that it must fail with. */
    static <E extends ProviderError> E errorOf(Class<E> kind, ThrowingCallable call) {
        var thrown = catchThrowableOfType(ProviderException.class, call);
        assertThat(thrown).as("a %s", kind.getSimpleName()).isNotNull();
        assertThat(thrown.error()).isInstanceOf(kind);
        return kind.cast(thrown.error());
    }
}

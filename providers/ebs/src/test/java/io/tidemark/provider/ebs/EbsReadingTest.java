package io.tidemark.provider.ebs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.aws.FakeAws;
import io.tidemark.provider.fakecloud.aws.FakeAwsSettings;
import io.tidemark.provider.fakecloud.aws.FakeVolume;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Bytes and ranges of snapshots, against our own fake of the EBS direct APIs. */
class EbsReadingTest {
    private static final int BLOCK = DirectCalls.BLOCK_BYTES;
    /** The part of the volume that tests write to and compare. */
    private static final int PART_BLOCKS = 24;

    private FakeAws cloud;
    private EbsProvider provider;
    private FakeVolume volume;
    private int count;

    @BeforeEach
    void start() throws Exception {
        cloud = FakeAws.start(FakeAwsSettings.defaults());
        provider = EbsAccount.open(cloud);
        volume = cloud.createVolume(1, java.util.Map.of());
    }

    @AfterEach
    void stop() {
        EbsAccount.everyCallIsChecked(cloud);
        provider.close();
        cloud.close();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void readsTheBytesOfTheCutAndNamesWhatChanged(long seed) throws Exception {
        var random = new Random(seed);
        var older = cut();
        var before = content(older);
        for (int round = 0; round < 4; round++) {
            for (int write = 0; write < 5; write++) {
                var bytes = new byte[1 + random.nextInt(2 * BLOCK)];
                random.nextBytes(bytes);
                volume.write(random.nextInt(PART_BLOCKS * BLOCK - bytes.length), bytes);
            }
            var newer = cut();
            var after = content(newer);
            assertThat(after).isEqualTo(volume.read(0, PART_BLOCKS * BLOCK));
            assertThat(content(older)).isEqualTo(before);
            assertThat(differing(before, after)).isSubsetOf(blocks(provider.changedRanges(older, newer)));
            assertThat(blocks(provider.changedRanges(newer, older)))
                    .isEqualTo(blocks(provider.changedRanges(older, newer)));
            assertThat(differing(new byte[after.length], after)).isSubsetOf(blocks(provider.allocatedRanges(newer)));
            older = newer;
            before = after;
        }
    }

    @Test
    void equalSnapshotsDifferInNothing() throws Exception {
        volume.write(0, new byte[] {1, 2, 3});
        var older = cut();
        var newer = cut();

        assertThat(blocks(provider.changedRanges(older, newer))).isEmpty();
    }

    @Test
    void readerServesAnyRangeAcrossBlocks() throws Exception {
        var bytes = new byte[3 * BLOCK];
        new Random(7).nextBytes(bytes);
        volume.write(BLOCK / 2, bytes);
        var snapshot = cut();
        try (var reader = provider.read(snapshot)) {
            for (int offset : new int[] {0, 1, BLOCK - 1, BLOCK, 2 * BLOCK + 17}) {
                for (int length : new int[] {1, 4096, BLOCK, BLOCK + 1, 3 * BLOCK}) {
                    var target = ByteBuffer.allocateDirect(length);
                    reader.read(offset, target);
                    var read = new byte[length];
                    target.flip().get(read);
                    assertThat(read).isEqualTo(volume.read(offset, length));
                }
            }
        }
    }

    @Test
    void tokensThatExpireAreAskedForAnew() throws Exception {
        var bytes = new byte[4 * BLOCK];
        new Random(9).nextBytes(bytes);
        volume.write(0, bytes);
        var snapshot = cut();
        try (var reader = provider.read(snapshot)) {
            var first = ByteBuffer.allocate(BLOCK);
            reader.read(0, first);
            cloud.clock().advance(Duration.ofDays(8));
            var rest = ByteBuffer.allocate(BLOCK);
            reader.read(3L * BLOCK, rest);
            assertThat(rest.array()).isEqualTo(Arrays.copyOfRange(bytes, 3 * BLOCK, 4 * BLOCK));
        }
        assertThat(Objects.requireNonNull(cloud.calls().get("ListSnapshotBlocks"))
                        .seen())
                .isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void faultsOnTheWayChangeNoByte(long seed) throws Exception {
        var bytes = new byte[12 * BLOCK];
        new Random(seed).nextBytes(bytes);
        volume.write(0, bytes);
        var older = cut();
        volume.write(5L * BLOCK, new byte[] {1, 2, 3});
        var newer = cut();
        cloud.faults(FaultScript.of(seed).atMost(40));

        assertThat(content(newer)).isEqualTo(volume.read(0, PART_BLOCKS * BLOCK));
        assertThat(blocks(provider.changedRanges(older, newer))).containsExactly(5);
        assertThat(blocks(provider.allocatedRanges(older))).hasSize(12);
    }

    @Test
    void snapshotThatIsStillBeingCopiedIsNotReadYet() throws Exception {
        provider.close();
        cloud.close();
        cloud = FakeAws.start(FakeAwsSettings.defaults().takes(Duration.ofMinutes(20)));
        provider = EbsAccount.open(cloud);
        volume = cloud.createVolume(1, java.util.Map.of());
        var snapshot = cut();
        cloud.clock().advance(Duration.ofMinutes(10));

        assertThat(provider.readiness(snapshot))
                .isInstanceOfSatisfying(
                        Readiness.Pending.class,
                        pending -> assertThat(pending.progress()).isBetween(0.3, 0.7));
        var refused = Assertions.assertThrows(ProviderException.class, () -> provider.read(snapshot));
        assertThat(refused.error()).isInstanceOf(ProviderError.Busy.class);
        cloud.clock().advance(Duration.ofMinutes(11));
        assertThat(provider.readiness(snapshot)).isInstanceOf(Readiness.Ready.class);
        provider.read(snapshot).close();
    }

    @Test
    void snapshotThatEndsInErrorIsFailed() throws Exception {
        cloud.faults(FaultScript.none().on("CreateSnapshot", 1, Fault.END_IN_ERROR));
        var snapshot = cut();

        assertThat(provider.readiness(snapshot)).isInstanceOf(Readiness.Failed.class);
    }

    private SnapshotId cut() throws Exception {
        var id = EbsAccount.volume(volume.id());
        var request = new CutRequest(new RecoveryPointId("rp-%04d".formatted(count++)), List.of(id));
        provider.prepare(request);
        // So that each has a time of its own.
        cloud.clock().advance(Duration.ofSeconds(1));
        return provider.cut(request).members().getFirst().snapshot().id();
    }

    private byte[] content(SnapshotId snapshot) throws Exception {
        try (var reader = provider.read(snapshot)) {
            var content = ByteBuffer.allocate(PART_BLOCKS * BLOCK);
            reader.read(0, content);
            return content.array();
        }
    }

    private static List<Integer> blocks(ChangedRanges ranges) throws Exception {
        var found = new ArrayList<Integer>();
        try (ranges) {
            for (var next = ranges.next(); next.isPresent(); next = ranges.next()) {
                BlockRange range = next.get();
                for (long at = range.offsetBytes(); at < range.endBytes(); at += BLOCK) {
                    found.add(Math.toIntExact(at / BLOCK));
                }
            }
        }
        return found;
    }

    private static List<Integer> differing(byte[] left, byte[] right) {
        var found = new ArrayList<Integer>();
        for (int block = 0; block < PART_BLOCKS; block++) {
            if (!Arrays.equals(left, block * BLOCK, (block + 1) * BLOCK, right, block * BLOCK, (block + 1) * BLOCK)) {
                found.add(block);
            }
        }
        return found;
    }
}

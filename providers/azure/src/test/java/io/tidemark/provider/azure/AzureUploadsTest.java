package io.tidemark.provider.azure;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.CallCount;
import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.azure.FakeAzure;
import io.tidemark.provider.fakecloud.azure.FakeAzureSettings;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.Capability;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.Step;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Disks that are written from here, held against what was written. */
class AzureUploadsTest {
    private static final int SIZE = 21 << 20;
    private static final VolumeId VOLUME = AzureAccount.volume("copy");

    private final FakeAzure cloud =
            FakeAzure.inProcess(FakeAzureSettings.defaults().taking(Duration.ofSeconds(1), Duration.ZERO));
    private final Random random = new Random(5);

    @AfterEach
    void everySignatureIsEndedAndEveryCallChecked() {
        assertThat(cloud.activeAccesses()).isZero();
        AzureAccount.everyCallIsChecked(cloud);
        cloud.close();
    }

    private AzureProvider open() {
        var config = AzureAccount.inProcess(cloud);
        return AzureAccount.open(config, AzureAccount.clients(config, () -> cloud), cloud.clock(), new AtomicBoolean());
    }

    @Test
    void whatIsWrittenIsInTheSnapshotToTheByte() throws Exception {
        var provider = open();
        var image = new byte[SIZE];
        var made = provider.create(VOLUME, SIZE);
        assertThat(made.sizeBytes()).isEqualTo(SIZE);
        assertThat(made.capabilities()).contains(Capability.RANDOM_WRITE, Capability.CREATE);
        try (var writer = provider.write(VOLUME)) {
            assertThat(writer.sizeBytes()).isEqualTo(SIZE);
            for (int count = 0; count < 60; count++) {
                int length = 1 + random.nextInt(count % 10 == 0 ? 6 << 20 : 3_000);
                int offset = count == 7 ? SIZE - length : random.nextInt(SIZE - length);
                if (random.nextInt(4) == 0) {
                    Arrays.fill(image, offset, offset + length, (byte) 0);
                    writer.writeZeroes(new BlockRange(offset, length));
                } else {
                    var bytes = new byte[length];
                    random.nextBytes(bytes);
                    System.arraycopy(bytes, 0, image, offset, length);
                    writer.write(offset, ByteBuffer.wrap(bytes));
                }
                if (count % 20 == 19) {
                    assertThat(read(writer, offset, length))
                            .isEqualTo(Arrays.copyOfRange(image, offset, offset + length));
                }
            }
            writer.flush();
        }

        var snapshot = cut(provider, "rp-1");

        assertThat(content(provider, snapshot)).isEqualTo(image);
        assertThat(provider.volume(VOLUME).can(Capability.RANDOM_WRITE)).isFalse();
        assertThat(failure(() -> provider.write(VOLUME)))
                .isInstanceOf(ProviderError.Conflict.class)
                .extracting(ProviderError::message)
                .asString()
                .contains("until its first snapshot");
        var clone = provider.clone(new CloneRequest(snapshot, AzureAccount.volume("clone")));
        cloud.clock().advance(Duration.ofSeconds(2));
        assertThat(clone).isInstanceOf(Step.Running.class);
    }

    /** What follows each other is one request of 4 MiB, whatever the caller writes at once. */
    @Test
    void smallWritesAreSentTogether() throws Exception {
        var provider = open();
        provider.create(VOLUME, SIZE);
        try (var writer = provider.write(VOLUME)) {
            for (int at = 0; at < 8 << 20; at += 64 << 10) {
                writer.write(at, ByteBuffer.allocate(64 << 10));
            }
        }

        assertThat(cloud.calls()
                        .getOrDefault("PageBlob_UploadPages", CallCount.ZERO)
                        .seen())
                .isEqualTo(2);
        provider.remove(VOLUME);
        assertThat(cloud.disks()).isEmpty();
    }

    @Test
    void aNewProcessWritesOnAndASignatureThatExpiredIsRenewed() throws Exception {
        var before = open();
        before.create(VOLUME, SIZE);
        try (var killed = before.write(VOLUME)) {
            killed.write(0, ByteBuffer.wrap(new byte[] {1}));
            killed.flush();
            assertThat(failure(() -> before.write(VOLUME))).isInstanceOf(ProviderError.Busy.class);
            assertThat(failure(() -> cut(before, "rp-1"))).isInstanceOf(ProviderError.Busy.class);
        }
        var provider = open();
        assertThat(provider.create(VOLUME, SIZE).id()).isEqualTo(VOLUME);
        try (var writer = provider.write(VOLUME)) {
            cloud.expireAccesses();
            writer.write(512, ByteBuffer.wrap(new byte[] {2}));
            writer.flush();
        }

        var bytes = content(provider, cut(provider, "rp-1"));

        assertThat(bytes[0]).isEqualTo((byte) 1);
        assertThat(bytes[512]).isEqualTo((byte) 2);
    }

    @Test
    void whatIsNotWrittenIsZerosAndADiskWithAWrongFooterIsNone() throws Exception {
        var provider = open();
        provider.create(VOLUME, SIZE);

        assertThat(content(provider, cut(provider, "rp-1"))).containsOnly(0);

        assertThat(VhdFooter.of(SIZE, "one"))
                .hasSize(512)
                .startsWith("conectix".getBytes(StandardCharsets.US_ASCII))
                .isNotEqualTo(VhdFooter.of(SIZE, "two"));
    }

    @Test
    void namesAndSizesThatNoDiskHasAreRefused() throws Exception {
        var provider = open();
        provider.create(VOLUME, SIZE);
        cloud.createDisk(AzureAccount.GROUP, "theirs", 1);

        assertThat(failure(() -> provider.create(VOLUME, 22 << 20))).isInstanceOf(ProviderError.VolumeExists.class);
        assertThat(failure(() -> provider.create(AzureAccount.volume("theirs"), 1 << 30)))
                .isInstanceOf(ProviderError.VolumeExists.class);
        for (long size : new long[] {SIZE + 512, 19 << 20, (32L << 40) + (1 << 20)}) {
            assertThat(failure(() -> provider.create(AzureAccount.volume("more"), size)))
                    .isInstanceOf(ProviderError.Conflict.class)
                    .extracting(ProviderError::message)
                    .asString()
                    .contains("20 MiB to 32 TiB");
        }
        assertThat(failure(() -> provider.create(AzureAccount.volume("Upper"), SIZE)))
                .isInstanceOf(ProviderError.Conflict.class);
        assertThat(failure(() -> provider.write(AzureAccount.volume("theirs"))))
                .isInstanceOf(ProviderError.Conflict.class);
    }

    /** Wherever it fails, asked again it is there once, and as it was written. */
    @Test
    void faultsOnTheWayChangeNoByte() throws Exception {
        for (int seed = 1; seed <= 25; seed++) {
            var provider = open();
            var volume = AzureAccount.volume("seed" + seed);
            var bytes = new byte[9 << 20];
            random.nextBytes(bytes);
            cloud.faults(FaultScript.of(seed));
            patiently(() -> provider.create(volume, SIZE));
            patiently(() -> {
                try (var writer = provider.write(volume)) {
                    writer.write(1 << 20, ByteBuffer.wrap(bytes));
                    writer.flush();
                }
                return true;
            });
            var request = new CutRequest(new RecoveryPointId("rp-" + seed), List.of(volume));
            patiently(() -> provider.cut(request));
            cloud.faults(FaultScript.none());
            cloud.clock().advance(Duration.ofHours(7));

            var image = content(provider, new SnapshotId(volume, request.recoveryPoint()));

            assertThat(Arrays.copyOfRange(image, 1 << 20, (1 << 20) + bytes.length))
                    .as("seed %d", seed)
                    .isEqualTo(bytes);
            assertThat(Arrays.copyOf(image, 1 << 20)).containsOnly(0);
        }
    }

    /** Azure has revoked the signature, and its answer was lost as often as it was asked for. */
    @Test
    void anUploadWhoseEndWasNotAnsweredIsCutAllTheSame() throws Exception {
        var provider = open();
        provider.create(VOLUME, SIZE);
        var faults = FaultScript.none();
        for (int attempt = 1; attempt <= 8; attempt++) {
            faults.on("Disks_RevokeAccess", attempt, Fault.CUT_AFTER);
        }
        cloud.faults(faults);
        assertThat(failure(() -> cut(provider, "rp-1"))).isInstanceOf(ProviderError.Unreachable.class);
        cloud.faults(FaultScript.none());

        assertThat(content(provider, cut(provider, "rp-1"))).containsOnly(0);
        assertThat(cloud.calls()
                        .getOrDefault("Snapshots_CreateOrUpdate", CallCount.ZERO)
                        .seen())
                .isEqualTo(1);
    }

    /** Else what its machine writes beyond would be read, copied and verified by nobody. */
    @Test
    void anUploadThatWasEnlargedIsReadToItsNewEnd() throws Exception {
        var provider = open();
        provider.create(VOLUME, SIZE);
        cut(provider, "rp-1");
        var disk = cloud.disks().getFirst();
        disk.grow(2);
        disk.write((2L << 30) - 1, new byte[] {7});

        assertThat(provider.volume(VOLUME).sizeBytes()).isEqualTo(2L << 30);
        try (var reader = provider.read(cut(provider, "rp-2"))) {
            assertThat(reader.sizeBytes()).isEqualTo(2L << 30);
            var last = ByteBuffer.allocate(1);
            reader.read((2L << 30) - 1, last);
            assertThat(last.get(0)).isEqualTo((byte) 7);
        }
    }

    /** A disk of theirs would be read, copied and verified to where they say, and what lies behind would be in no copy. */
    @Test
    void theSizeThatADiskIsTaggedWithIsBelievedOfOurOwnOnly() throws Exception {
        var provider = open();
        var theirs = cloud.createDisk(AzureAccount.GROUP, "theirs", 1);
        theirs.tag(Map.of(AzureNames.SIZE, "1048576", AzureNames.INSTALLATION, "others"));
        theirs.write((1L << 30) - 1, new byte[] {7});
        var id = AzureAccount.volume("theirs");

        assertThat(provider.volume(id).sizeBytes()).isEqualTo(1L << 30);
        assertThat(provider.volumes()).extracting(each -> each.sizeBytes()).containsExactly(1L << 30);
        var request = new CutRequest(new RecoveryPointId("rp-1"), List.of(id));
        var snapshot = provider.cut(request).members().getFirst().snapshot();
        assertThat(snapshot.sizeBytes()).isEqualTo(1L << 30);
        try (var reader = provider.read(snapshot.id())) {
            var last = ByteBuffer.allocate(1);
            reader.read((1L << 30) - 1, last);
            assertThat(last.get(0)).isEqualTo((byte) 7);
        }
    }

    /** Writers are held during the cut. */
    @Test
    void theUploadIsEndedByThePreparationAndNotByTheCut() throws Exception {
        var provider = open();
        provider.create(VOLUME, SIZE);
        var request = new CutRequest(new RecoveryPointId("rp-1"), List.of(VOLUME));
        provider.prepare(request);
        cloud.deny("Disks_GrantAccess");
        cloud.deny("Disks_RevokeAccess");

        var cut = provider.cut(request);

        assertThat(content(provider, cut.members().getFirst().snapshot().id())).containsOnly(0);
        assertThat(provider.volume(VOLUME).can(Capability.RANDOM_WRITE)).isFalse();
    }

    /** It would leave them a disk with our footer, which they write no more. */
    @Test
    void uploadOfSomebodyElseIsNotEndedByACut() throws Exception {
        var ours = open();
        ours.create(VOLUME, SIZE);
        var config = AzureAccount.config(cloud, "http://127.0.0.1", Map.of("installation", "others"));
        var clients = AzureAccount.clients(config, () -> cloud);
        var others = AzureAccount.open(config, clients, cloud.clock(), new AtomicBoolean());

        assertThat(others.volume(VOLUME).capabilities()).doesNotContain(Capability.RANDOM_WRITE, Capability.CREATE);
        assertThat(failure(() -> cut(others, "rp-1")))
                .isInstanceOf(ProviderError.Conflict.class)
                .extracting(ProviderError::message)
                .asString()
                .contains("somebody else uploads into it");
        assertThat(cloud.calls()).doesNotContainKeys("Disks_GrantAccess", "Disks_RevokeAccess");
        assertThat(content(ours, cut(ours, "rp-1"))).containsOnly(0);
    }

    /** Whether all was written the new process cannot know; who writes on does, and flushes. */
    @Test
    void uploadOfAProcessBeforeIsEndedByACutOnlyOnceItIsFlushedAnew() throws Exception {
        var before = open();
        before.create(VOLUME, SIZE);
        try (var killed = before.write(VOLUME)) {
            killed.write(0, ByteBuffer.wrap(new byte[] {1}));
            killed.flush();
        }
        var provider = open();
        assertThat(provider.create(VOLUME, SIZE).sizeBytes()).isEqualTo(SIZE);
        var request = new CutRequest(new RecoveryPointId("rp-1"), List.of(VOLUME));

        for (Call call : List.<Call>of(() -> cut(provider, "rp-1"), () -> {
            provider.prepare(request);
            return request;
        })) {
            assertThat(failure(call))
                    .isInstanceOf(ProviderError.Conflict.class)
                    .extracting(ProviderError::message)
                    .asString()
                    .contains("by a process before this one", "the link's next synchronisation", "remove it");
        }
        assertThat(provider.volume(VOLUME).can(Capability.RANDOM_WRITE)).isTrue();
        assertThat(cloud.calls()).doesNotContainKey("Disks_RevokeAccess");
        try (var writer = provider.write(VOLUME)) {
            writer.flush();
        }

        assertThat(content(provider, cut(provider, "rp-1"))[0]).isEqualTo((byte) 1);
    }

    /** As of a transfer that broke: the next session could not write the rest. */
    @Test
    void uploadWhoseWriterWasClosedBeforeItsFlushIsNotEndedByACut() throws Exception {
        var provider = open();
        provider.create(VOLUME, SIZE);
        try (var broken = provider.write(VOLUME)) {
            broken.write(0, ByteBuffer.wrap(new byte[] {1}));
            broken.flush();
            broken.write(512, ByteBuffer.wrap(new byte[] {2}));
        }

        assertThat(failure(() -> cut(provider, "rp-1")))
                .isInstanceOf(ProviderError.Conflict.class)
                .extracting(ProviderError::message)
                .asString()
                .contains("was not flushed", "the link's next synchronisation");
        try (var writer = provider.write(VOLUME)) {
            writer.write(1024, ByteBuffer.wrap(new byte[] {3}));
            writer.flush();
        }

        var bytes = content(provider, cut(provider, "rp-1"));
        assertThat(List.of(bytes[0], bytes[512], bytes[1024])).containsExactly((byte) 1, (byte) 2, (byte) 3);
    }

    private interface Call {
        Object run() throws Exception;
    }

    private void patiently(Call call) throws Exception {
        for (int count = 0; ; count++) {
            try {
                call.run();
                return;
            } catch (ProviderException e) {
                assertThat(count).as("%s", e.error()).isLessThan(300);
                cloud.clock().advance(Duration.ofMinutes(2));
            }
        }
    }

    private static ProviderError failure(Call call) throws Exception {
        try {
            throw new AssertionError("was not refused: " + call.run());
        } catch (ProviderException e) {
            return e.error();
        }
    }

    private static SnapshotId cut(AzureProvider provider, String point) throws Exception {
        var request = new CutRequest(new RecoveryPointId(point), List.of(VOLUME));
        return provider.cut(request).members().getFirst().snapshot().id();
    }

    private static byte[] read(VolumeWriter writer, long offset, int length) throws Exception {
        var target = ByteBuffer.allocate(length);
        writer.read(offset, target);
        return target.array();
    }

    private static byte[] content(AzureProvider provider, SnapshotId snapshot) throws Exception {
        try (var reader = provider.read(snapshot)) {
            assertThat(reader.sizeBytes()).isEqualTo(SIZE);
            var target = ByteBuffer.allocate(SIZE);
            reader.read(0, target);
            return target.array();
        }
    }
}

package io.tidemark.provider.ebs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.conformance.TestStorage;
import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.aws.AwsLimits;
import io.tidemark.provider.fakecloud.aws.FakeAwsSettings;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.TagSpecification;

/** Copies from region to region. */
class EbsCopiesTest {
    private static final Duration HOUR = Duration.ofHours(1);
    private static final Optional<String> NO_KEY = Optional.empty();
    private static final int STEPS_MAXIMUM = 100;

    private TwoRegions regions;

    @BeforeEach
    void begin() throws Exception {
        regions = new TwoRegions(FakeAwsSettings.defaults(), 20);
    }

    private EbsProvider start(FakeAwsSettings settings, int copiesMaximum) throws Exception {
        regions.close();
        regions = new TwoRegions(settings, copiesMaximum);
        return regions.settled();
    }

    private EbsProvider start() throws Exception {
        return regions.settled();
    }

    @AfterEach
    void stop() {
        regions.close();
    }

    @Test
    void copyHasTheBytesAndIsListedUnderItsRecoveryPoint() throws Exception {
        var ireland = start();
        var original = regions.cut("rp-1", 42);

        var copy = finished(ireland, ireland.copyOf(regions.source, original, NO_KEY));

        assertThat(copy.id()).isEqualTo(TwoRegions.copyOf(original));
        var read = ByteBuffer.allocate(1);
        try (var reader = ireland.read(copy.id())) {
            reader.read(0, read);
        }
        assertThat(read.get(0)).isEqualTo((byte) 42);
        var ofVolume = SnapshotQuery.ofVolume(copy.id().volume());
        assertThat(ireland.snapshots(ofVolume).snapshots())
                .extracting(Snapshot::id)
                .containsExactly(copy.id());
        var ofPoint = SnapshotQuery.ofRecoveryPoint(original.recoveryPoint());
        assertThat(ireland.snapshots(ofPoint).snapshots())
                .extracting(Snapshot::id)
                .containsExactly(copy.id());
    }

    @Test
    void copyIsEncryptedByTheKeyAndNoSecondOneByAnother() throws Exception {
        var ireland = start();
        var original = regions.cut("rp-1", 1);
        var key = "arn:aws:kms:eu-west-1:123456789012:key/0a1b";

        finished(ireland, ireland.copyOf(regions.source, original, Optional.of(key)));

        var told = regions.clientsThere()
                .ec2()
                .describeSnapshots(request -> request.ownerIds("self"))
                .snapshots();
        assertThat(told).singleElement().satisfies(each -> {
            assertThat(each.encrypted()).isTrue();
            assertThat(each.kmsKeyId()).isEqualTo(key);
        });
        assertThat(failure(() -> ireland.copyOf(regions.source, original, NO_KEY)))
                .isInstanceOf(ProviderError.Conflict.class)
                .extracting(ProviderError::message)
                .asString()
                .contains(key, "delete it first");
    }

    @Test
    void whatIsNoCopyOfTheSourceIsNotTakenForIt() throws Exception {
        var ireland = start();
        var original = regions.cut("rp-1", 1);
        var id = TwoRegions.copyOf(original);
        for (var origin : List.of(Optional.of("eu-central-1/snap-0123456789abcdef0"), Optional.<String>empty())) {
            var tags = EbsNames.tagsOf("tests", id);
            origin.ifPresent(each -> tags.put(EbsNames.COPY_OF, each));
            var volume = regions.cloud.createVolume(TwoRegions.IRELAND, 1, Map.of());
            regions.clientsThere()
                    .ec2()
                    .createSnapshot(request -> request.volumeId(volume.id())
                            .tagSpecifications(TagSpecification.builder()
                                    .resourceType("snapshot")
                                    .tags(tags.entrySet().stream()
                                            .map(each -> Tag.builder()
                                                    .key(each.getKey())
                                                    .value(each.getValue())
                                                    .build())
                                            .toList())
                                    .build()));

            assertThat(failure(() -> ireland.copyOf(regions.source, original, NO_KEY)))
                    .isInstanceOf(ProviderError.Conflict.class)
                    .extracting(ProviderError::message)
                    .asString()
                    .contains("delete it first", origin.orElse("no copy"));

            ireland.delete(id);
        }
    }

    @Test
    void copyOfAChainsSnapshotHasItsSizeToTheByte() throws Exception {
        var ireland = start();
        var address = regions.cloud.endpoint(TwoRegions.FRANKFURT).toString();
        try (var storage = TestStorage.inMemory()) {
            var config = EbsAccount.config(address, storage.base().resolve("staging"));
            try (var chains = EbsAccount.openStaged(
                    config,
                    EbsAccount.clients(config),
                    regions.cloud.clock(),
                    new AtomicBoolean(),
                    new StagingFiles(() -> {}))) {
                var orders = VolumeId.of("ebs", "orders");
                chains.create(orders, 3 * 512);
                var original = new SnapshotId(orders, new RecoveryPointId("rp-1"));
                chains.cut(new CutRequest(original.recoveryPoint(), List.of(orders)));
                for (int look = 0; look < 10_000 && !(chains.readiness(original) instanceof Readiness.Ready); look++) {
                    Thread.sleep(1);
                }
                assertThat(chains.readiness(original)).isInstanceOf(Readiness.Ready.class);

                var copy = finished(ireland, ireland.copyOf(chains, original, NO_KEY));

                assertThat(copy.sizeBytes()).isEqualTo(3 * 512);
                try (var reader = ireland.read(copy.id())) {
                    assertThat(reader.sizeBytes()).isEqualTo(3 * 512);
                }
            }
        }
    }

    @Test
    void copyOutlivesItsSourceAndIsDeletedByItsOwnName() throws Exception {
        var ireland = start();
        var original = regions.cut("rp-1", 1);
        var copy = finished(ireland, ireland.copyOf(regions.source, original, NO_KEY));

        regions.source.delete(original);

        assertThat(regions.copies()).hasSize(1);
        assertThat(ireland.delete(copy.id())).isEqualTo(new Step.Done<>(true));
        assertThat(regions.copies()).isEmpty();
    }

    @Test
    void moreThanMayBeAtOnceWaitInTheirOrder() throws Exception {
        var ireland = start(FakeAwsSettings.defaults().takes(HOUR), 2);
        var originals = new SnapshotId[4];
        for (int index = 0; index < originals.length; index++) {
            originals[index] = regions.cut("rp-" + index, index);
        }
        regions.cloud.clock().advance(HOUR);
        var steps = new Step<?>[originals.length];
        for (int index = 0; index < originals.length; index++) {
            steps[index] = ireland.copyOf(regions.source, originals[index], NO_KEY);
        }

        assertThat(regions.copies()).hasSize(2);
        assertThat(phase(ireland, steps[0])).isEqualTo("is copied by Amazon");
        assertThat(phase(ireland, steps[2])).isEqualTo("waits for one of 2 copies into eu-west-1");

        // One more comes, and asks before the others when there are places again.
        var late = regions.cut("rp-late", 9);
        for (int waited = 0; waited < HOUR.toMinutes(); waited++) {
            regions.cloud.clock().advance(Duration.ofMinutes(1));
            steps[2] = resumed(ireland, steps[2]);
            steps[3] = resumed(ireland, steps[3]);
        }
        assertThat(phase(ireland, steps[2])).isEqualTo("is copied by Amazon");
        assertThat(phase(ireland, steps[3])).isEqualTo("is copied by Amazon");
        assertThat(phase(ireland, ireland.copyOf(regions.source, late, NO_KEY))).startsWith("waits for one of 2");
        assertThat(regions.copies()).hasSize(4);
    }

    @Test
    void queueKeepsTheOrderAndForgetsWhoDoesNotAskAnyMore() throws Exception {
        start();
        var queue = new CopyQueue(1, regions.cloud.clock());
        var ids = Stream.of("a", "b", "c")
                .map(name -> SnapshotId.parse("ireland:%s@rp-1".formatted(name)))
                .toList();
        queue.counted(List.of());
        assertThat(queue.enter(ids.get(0))).isTrue();
        assertThat(queue.enter(ids.get(1))).isFalse();
        assertThat(queue.enter(ids.get(2))).isFalse();

        queue.left(ids.get(0));
        assertThat(queue.enter(ids.get(2))).as("overtakes").isFalse();
        regions.cloud.clock().advance(Duration.ofMinutes(4));
        assertThat(queue.enter(ids.get(2))).as("the one before is gone").isTrue();
    }

    @Test
    void limitThatOthersUseUpIsWaitedFor() throws Exception {
        var limits = new AwsLimits(Duration.ZERO, 5, 1, 100);
        var ireland = start(FakeAwsSettings.defaults().takes(HOUR).limits(limits), 20);
        var one = regions.cut("rp-1", 1);
        var two = regions.cut("rp-2", 2);
        regions.cloud.clock().advance(HOUR);

        ireland.copyOf(regions.source, one, NO_KEY);
        Step<?> step = ireland.copyOf(regions.source, two, NO_KEY);

        assertThat(phase(ireland, step)).startsWith("waits for one of");
        assertThat(regions.copies()).hasSize(1);
        regions.cloud.clock().advance(HOUR);
        step = resumed(ireland, step);
        assertThat(phase(ireland, step)).isEqualTo("is copied by Amazon");
        assertThat(regions.copies()).hasSize(2);
    }

    @Test
    void progressIsAmazons() throws Exception {
        var ireland = start(FakeAwsSettings.defaults().takes(HOUR), 20);
        var original = regions.cut("rp-1", 1);
        regions.cloud.clock().advance(HOUR);
        Step<?> step = ireland.copyOf(regions.source, original, NO_KEY);
        regions.cloud.clock().advance(HOUR.dividedBy(4));

        step = resumed(ireland, step);

        assertThat(((Step.Running<?>) step).progress()).isEqualTo(0.25);
    }

    @Test
    void snapshotThatIsNotCompletedIsNotCopiedYet() throws Exception {
        var ireland = start(FakeAwsSettings.defaults().takes(HOUR), 20);
        var original = regions.cut("rp-1", 1);

        assertThat(failure(() -> ireland.copyOf(regions.source, original, NO_KEY)))
                .isInstanceOf(ProviderError.Busy.class);
        assertThat(regions.copies()).isEmpty();
    }

    /** As Amazon does: the copy hangs for 2 min 40 s before it is told. */
    @Test
    void copyFromTheWrongRegionIsReportedAndDeleted() throws Exception {
        var ireland = start();
        var wanted = new EbsCopies.Wanted(
                TwoRegions.copyOf(regions.cut("rp-1", 1)), "us-east-1", "snap-0123456789abcdef0", 1L << 30, NO_KEY);
        var handle = EbsHandles.ofCopy(wanted, EbsCopies.Phase.WAITS);

        assertThat(ireland.resume(handle)).isInstanceOf(Step.Running.class);
        regions.cloud.clock().advance(Duration.ofSeconds(150));
        assertThat(ireland.resume(handle)).isInstanceOf(Step.Running.class);
        regions.cloud.clock().advance(Duration.ofSeconds(10));

        assertThat(failure(() -> ireland.resume(handle)).message())
                .contains("us-east-1/snap-0123456789abcdef0", "Source snapshot not found");
        assertThat(regions.copies()).isEmpty();
    }

    @Test
    void copyThatEndsInErrorIsReportedAndDeletedAndMayBeAskedForAgain() throws Exception {
        var ireland = start();
        var original = regions.cut("rp-1", 1);
        regions.cloud.faults(FaultScript.none().on("CopySnapshot", 1, Fault.END_IN_ERROR));
        var step = ireland.copyOf(regions.source, original, NO_KEY);

        assertThat(failure(() -> resumed(ireland, step)).message()).contains("An internal error occurred");
        assertThat(regions.copies()).isEmpty();

        finished(ireland, ireland.copyOf(regions.source, original, NO_KEY));
        assertThat(regions.copies()).hasSize(1);
    }

    @Test
    void lostAnswerMakesNoSecondCopy() throws Exception {
        var ireland = start();
        var original = regions.cut("rp-1", 1);
        regions.cloud.faults(FaultScript.none().on("CopySnapshot", 1, Fault.CUT_AFTER));

        finished(ireland, ireland.copyOf(regions.source, original, NO_KEY));

        assertThat(regions.copies()).hasSize(1);
    }

    @Test
    void nextProcessGoesOnByTheHandle() throws Exception {
        var ireland = start(FakeAwsSettings.defaults().takes(HOUR), 20);
        var original = regions.cut("rp-1", 1);
        regions.cloud.clock().advance(HOUR);
        regions.cloud.faults(FaultScript.none().on("CopySnapshot", 1, Fault.INVISIBLE));
        var handle = ((Step.Running<Snapshot>) ireland.copyOf(regions.source, original, NO_KEY)).handle();

        var next = regions.start(new AtomicBoolean());
        for (int count = 0; count < 5; count++) {
            assertThat(next.resume(handle)).isInstanceOf(Step.Running.class);
            assertThat(regions.copies()).as("not even for a while").hasSize(1);
        }
        regions.cloud.clock().advance(HOUR);

        assertThat(next.resume(handle)).isInstanceOf(Step.Done.class);
        assertThat(regions.copies()).hasSize(1);
    }

    @Test
    void duplicateIsDeleted() throws Exception {
        var ireland = start();
        var original = regions.cut("rp-1", 1);
        finished(ireland, ireland.copyOf(regions.source, original, NO_KEY));
        var told = regions.clientsThere()
                .ec2()
                .describeSnapshots(request -> request.ownerIds("self"))
                .snapshots()
                .getFirst();
        var from = told.tags().stream()
                .filter(tag -> tag.key().equals(EbsNames.COPY_OF))
                .findFirst()
                .orElseThrow()
                .value()
                .split("/", -1);
        regions.clientsThere()
                .ec2()
                .copySnapshot(request -> request.sourceRegion(from[0])
                        .destinationRegion(TwoRegions.IRELAND)
                        .sourceSnapshotId(from[1])
                        .tagSpecifications(TagSpecification.builder()
                                .resourceType("snapshot")
                                .tags(told.tags())
                                .build()));
        assertThat(regions.copies()).hasSize(2);

        finished(ireland, ireland.copyOf(regions.source, original, NO_KEY));

        assertThat(regions.copies()).hasSize(1);
    }

    @Test
    void otherKindsAndItselfAreRefusedByName() throws Exception {
        var ireland = start();
        var original = regions.cut("rp-1", 1);
        var lvm = (StorageProvider) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {StorageProvider.class}, (proxy, method, given) -> "lvm");

        assertThat(failure(() -> ireland.copyOf(lvm, original, NO_KEY)).message())
                .contains("of kind ebs, not from lvm");
        assertThat(failure(() -> ireland.copyOf(ireland, original, NO_KEY))).isInstanceOf(ProviderError.Conflict.class);
        assertThat(failure(() -> ireland.copyOf(regions.source, original, Optional.of("my key")))
                        .message())
                .contains("my key", "ARN");
    }

    @Test
    void twoProvidersOfOneRegionAreToldSo() throws Exception {
        start();
        var original = regions.cut("rp-1", 1);
        var twin = EbsConfig.of(
                "twin",
                Map.of(
                        "region",
                        TwoRegions.FRANKFURT,
                        "installation",
                        "tests",
                        "ec2Endpoint",
                        regions.cloud.endpoint(TwoRegions.FRANKFURT).toString()));
        try (var same = EbsAccount.open(twin, EbsAccount.clients(twin), regions.cloud.clock(), new AtomicBoolean())) {
            assertThat(failure(() -> same.copyOf(regions.source, original, NO_KEY))
                            .message())
                    .contains("one account and region");
        }
    }

    @Test
    void foreignHandleIsNone() throws Exception {
        var ireland = start();

        assertThatThrownBy(() -> ireland.resume(new Handle("ireland", "copy everything")))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private interface Asked {
        Object ask() throws ProviderException;
    }

    private static ProviderError failure(Asked asked) {
        try {
            throw new AssertionError("no failure but " + asked.ask());
        } catch (ProviderException e) {
            return e.error();
        }
    }

    private static String phase(EbsProvider provider, Step<?> step) {
        return provider.phase(((Step.Running<?>) step).handle());
    }

    private static Step<?> resumed(EbsProvider provider, Step<?> step) throws ProviderException {
        return provider.resume(((Step.Running<?>) step).handle());
    }

    private Snapshot finished(EbsProvider provider, Step<?> first) throws ProviderException {
        Step<?> step = first;
        for (int count = 0; count < STEPS_MAXIMUM; count++) {
            if (step instanceof Step.Done<?>(var made)) {
                return (Snapshot) made;
            }
            regions.cloud.clock().advance(((Step.Running<?>) step).askAgainAfter());
            step = resumed(provider, step);
        }
        throw new AssertionError("still " + step);
    }
}

package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Operation;
import io.tidemark.domain.Peer;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import io.tidemark.transport.PeerListener;
import io.tidemark.transport.TlsPeerConnector;
import io.tidemark.transport.TransportLimits;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What takes long at one end must not lose the other, nor meet itself. */
@Timeout(60)
class LongWorkTest {
    private static final int MIB = 1 << 20;
    private static final VolumeId HERE = new VolumeId("memory:orders");
    private static final VolumeId THERE = new VolumeId("memory:orders-copy");

    @TempDir
    Path folder;

    private PairedSites sites;
    private TestSite a;
    private TestSite b;

    @BeforeEach
    void open() throws Exception {
        sites = PairedSites.in(folder, HERE, THERE, 8L * MIB);
        a = sites.a();
        b = sites.b();
        a.replicator.openLink(sites.link(), sites.peer(), 8L * MIB);
    }

    @AfterEach
    void closeBoth() {
        sites.close();
    }

    private void sync(RecoveryPoint point, String... bases) throws Exception {
        var known = Arrays.stream(bases).map(RecoveryPointId::new).toList();
        a.replicator.sync(sites.link(), sites.peer(), point, known, ProgressListener.NONE);
    }

    private void assertCopied(String point) throws Exception {
        assertThat(Arrays.equals(b.read(THERE, point), a.read(HERE, point)))
                .as("copy of %s", point)
                .isTrue();
    }

    @Test
    void neitherEndLosesTheOtherOverWorkThatTakesLongerThanASilence() throws Exception {
        a.writeNoise(HERE, 0, MIB, 1);
        var point = a.take(HERE, "rp-1");
        var longWork = TestSite.LIMITS.idle().plusSeconds(2);
        a.moments = moment -> sleepAt(Moment.SYNC_CONNECTED, moment, longWork);
        b.moments = moment -> sleepAt(Moment.INGEST_COMMITTED, moment, longWork);

        sync(point);

        assertCopied("rp-1");
    }

    /** As where a cloud makes a disk of the snapshot before its first byte is read. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void neitherEndLosesTheOtherOverAVerificationWhoseStorageIsSlow(boolean isSource) throws Exception {
        a.writeNoise(HERE, 0, MIB, 1);
        sync(a.take(HERE, "rp-1"));
        var limits =
                new TransportLimits(Duration.ofSeconds(5), Duration.ofSeconds(5), Duration.ofSeconds(3), 16, 2, 10);
        var slow = new Providers(List.of(slow((isSource ? a : b).provider, Duration.ofSeconds(4))));
        try (var listener = listening(isSource ? new Providers(List.of(b.provider)) : slow, limits)) {
            var report = source(isSource ? slow : new Providers(List.of(a.provider)), limits)
                    .verify(sites.link(), at(listener), new RecoveryPointId("rp-1"), ProgressListener.NONE);
            assertThat(report.differingBlocks()).isZero();
            assertThat(report.comparedBytes()).isEqualTo(8L * MIB);
        }
    }

    /** It looks at its volume before it takes over; with signs of life the one that hands over waits for it. */
    @Test
    void aReversalIsNotLostOverATargetWhoseStorageIsSlow() throws Exception {
        a.writeNoise(HERE, 0, MIB, 1);
        var point = a.take(HERE, "rp-1");
        sync(point);
        var limits =
                new TransportLimits(Duration.ofSeconds(5), Duration.ofSeconds(5), Duration.ofSeconds(3), 16, 2, 10);
        var late = new AtomicBoolean(true);
        var slow = proxied(StorageProvider.class, b.provider, (method, result) -> {
            if (method.equals("volume") && late.compareAndSet(true, false)) {
                sleep(Duration.ofSeconds(4));
            }
            return result;
        });
        try (var listener = listening(new Providers(List.of(slow)), limits)) {
            var refusal =
                    source(new Providers(List.of(a.provider)), limits).handOver(sites.link(), at(listener), point.id());
            assertThat(refusal).isEmpty();
            assertThat(late).isFalse();
            assertThat(b.catalog.link(sites.link().id()).orElseThrow().role()).isEqualTo(ReplicationLink.Role.SOURCE);
        }
    }

    private PeerReplicator source(Providers providers, TransportLimits limits) {
        return new PeerReplicator(
                providers,
                new TlsPeerConnector(a.identity, limits),
                TestSite.KERNEL,
                Moments.NONE,
                System::nanoTime,
                "test");
    }

    private PeerListener listening(Providers providers, TransportLimits limits) throws IOException {
        var target = new ReplicationServer(
                providers,
                b.catalog,
                TestSite.KERNEL,
                b.folder,
                b.pairing,
                Moments.NONE,
                InstantSource.system(),
                System::nanoTime,
                "test");
        return PeerListener.start("127.0.0.1", 0, b.identity, target, limits, InstantSource.system());
    }

    private Peer at(PeerListener listener) {
        return new Peer(sites.peer().id(), listener.address(), sites.peer().fingerprint(), Instant.now());
    }

    /** Eight reads of a second each. */
    private static StorageProvider slowly(StorageProvider storage, AtomicInteger reads) {
        return readingBy(storage, () -> {
            reads.incrementAndGet();
            Thread.sleep(Duration.ofSeconds(1));
        });
    }

    private interface Step {
        void take() throws InterruptedException;
    }

    /** The same storage, each of whose reads takes a step too. */
    private static StorageProvider readingBy(StorageProvider storage, Step step) {
        return proxied(StorageProvider.class, storage, (method, result) -> {
            if (!method.equals("read")) {
                return result;
            }
            return proxied(SnapshotReader.class, (SnapshotReader) Objects.requireNonNull(result), (call, answer) -> {
                if (call.equals("read")) {
                    step.take();
                }
                return answer;
            });
        });
    }

    @Test
    void aTargetReadsNoFurtherOnceNobodyWaitsForIt() throws Exception {
        a.writeNoise(HERE, 0, MIB, 1);
        sync(a.take(HERE, "rp-1"));
        var reads = new AtomicInteger();
        var givingUp = givingUpWhen(() -> reads.get() > 0);

        try (var listener = listening(new Providers(List.of(slowly(b.provider, reads))), TestSite.LIMITS)) {
            assertCancelled(
                    () -> a.replicator.verify(sites.link(), at(listener), new RecoveryPointId("rp-1"), givingUp));
            sleep(Duration.ofSeconds(4));
            int told = reads.get();
            assertThat(told).isLessThan(8);
            sleep(Duration.ofMillis(1_500));
            assertThat(reads).hasValue(told);
        }
    }

    /** The target reads once more what differs and is not in the last 256 MiB. */
    @Test
    void aVerificationIsCancelledWhileItsPeerReadsAgain() throws Exception {
        int mebibytes = 257;
        a.storage.grow(HERE, (long) mebibytes * MIB);
        b.storage.grow(THERE, (long) mebibytes * MIB);
        a.writeNoise(HERE, 0, MIB, 1);
        a.take(HERE, "rp-1");
        b.take(THERE, "rp-1");
        var reads = new AtomicInteger();
        var hung = new CountDownLatch(1);
        var blocking = readingBy(b.provider, () -> {
            if (reads.incrementAndGet() > mebibytes) {
                hung.await();
            }
        });
        var givingUp = givingUpWhen(() -> reads.get() > mebibytes);

        try (var listener = listening(new Providers(List.of(blocking)), TestSite.LIMITS)) {
            assertTimeoutPreemptively(
                    Duration.ofSeconds(15),
                    () -> assertCancelled(() ->
                            a.replicator.verify(sites.link(), at(listener), new RecoveryPointId("rp-1"), givingUp)));
        } finally {
            hung.countDown();
        }
    }

    private static ProgressListener givingUpWhen(BooleanSupplier given) {
        return new ProgressListener() {
            @Override
            public void progress(Operation.Progress progress) {}

            @Override
            public boolean cancelled() {
                return given.getAsBoolean();
            }
        };
    }

    private static void assertCancelled(ThrowingCallable verification) {
        assertThatThrownBy(verification)
                .isInstanceOfSatisfying(
                        ReplicationException.class,
                        e -> assertThat(e.error()).isInstanceOf(ReplicationError.Cancelled.class));
    }

    @Test
    void aSourceReadsNoFurtherOnceItsPeerHasRefusedAndSaysWhy() throws Exception {
        a.take(HERE, "rp-1");
        var reads = new AtomicInteger();
        var source = source(new Providers(List.of(slowly(a.provider, reads))), TestSite.LIMITS);

        assertThatThrownBy(() ->
                        source.verify(sites.link(), sites.peer(), new RecoveryPointId("rp-1"), ProgressListener.NONE))
                .isInstanceOfSatisfying(
                        ReplicationException.class,
                        e -> assertThat(e.error()).isInstanceOf(ReplicationError.PeerRefused.class));

        assertThat(reads).hasValueLessThan(8);
    }

    /** The same storage, whose first byte of each snapshot that is read comes late. */
    private static StorageProvider slow(StorageProvider storage, Duration first) {
        return proxied(StorageProvider.class, storage, (method, result) -> {
            var late = new AtomicBoolean(true);
            return method.equals("read")
                    ? proxied(SnapshotReader.class, (SnapshotReader) Objects.requireNonNull(result), (call, answer) -> {
                        if (call.equals("read") && late.compareAndSet(true, false)) {
                            sleep(first);
                        }
                        return answer;
                    })
                    : result;
        });
    }

    private interface Changed {
        @Nullable
        Object result(String method, @Nullable Object result) throws InterruptedException;
    }

    private static <T> T proxied(Class<T> type, T target, Changed changed) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, given) -> {
            try {
                return changed.result(method.getName(), method.invoke(target, given));
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }));
    }

    private static void sleep(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void sleepAt(Moment wanted, Moment reached, Duration time) {
        if (reached == wanted) {
            sleep(time);
        }
    }

    @Test
    void aLinkIsNotSettledBesideItsSynchronisation() throws Exception {
        a.writeNoise(HERE, 0, MIB, 1);
        sync(a.take(HERE, "rp-1"));
        a.writeNoise(HERE, 0, MIB, 2);
        var second = a.take(HERE, "rp-2");
        var meanwhile = new AtomicReference<Optional<String>>();
        b.moments = reached -> {
            if (reached == Moment.INGEST_COMMITTED) {
                try {
                    meanwhile.set(
                            b.server.settle(b.catalog.link(sites.link().id()).orElseThrow()));
                } catch (ReplicationException e) {
                    throw new AssertionError(e);
                }
            }
        };

        sync(second, "rp-1");

        assertThat(meanwhile.get()).contains("a synchronisation that is being received");
        assertCopied("rp-2");
        b.moments = Moments.NONE;
        Awaitility.await()
                .until(() -> b.server
                        .settle(b.catalog.link(sites.link().id()).orElseThrow())
                        .isEmpty());
    }
}

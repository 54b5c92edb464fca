package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.LinkState;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Others write to a target while it is dead with a committed log; and who is asked who the source is. */
@Timeout(60)
class FoundCommitTest {
    private static final int MIB = 1 << 20;
    private static final int BLOCK = 4_096;
    private static final VolumeId VOLUME = new VolumeId("memory:orders");
    private static final LinkId LINK = new LinkId("ln-ab");

    @TempDir
    Path folder;

    private TestSite a;
    private TestSite b;

    @BeforeEach
    void pair() throws Exception {
        a = new TestSite(Files.createDirectory(folder.resolve("a")));
        b = new TestSite(Files.createDirectory(folder.resolve("b")));
        a.pairing.accept(
                new PeerId("site-b"),
                b.pairing.invite(new PeerId("site-a"), Duration.ofMinutes(5)).token());
        a.provider.create(VOLUME, 4L * MIB);
        var link = new ReplicationLink(
                LINK,
                ReplicationLink.Role.SOURCE,
                new PeerId("site-b"),
                VOLUME,
                VOLUME,
                new GroupId("orders"),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
        a.catalog.saveLink(link);
        a.replicator.openLink(link, a.catalog.peer(link.peer()).orElseThrow(), 4L * MIB);
    }

    @AfterEach
    void close() {
        a.close();
        b.close();
    }

    private ReplicationLink link() {
        return a.catalog.link(LINK).orElseThrow();
    }

    private void sync(RecoveryPoint point, String... bases) throws Exception {
        var known = Arrays.stream(bases).map(RecoveryPointId::new).toList();
        var report = a.replicator.sync(
                link(), a.catalog.peer(link().peer()).orElseThrow(), point, known, ProgressListener.NONE);
        a.catalog.links.computeIfPresent(LINK, (key, link) -> link.inStepWith(report));
    }

    /** The target dies at the moment of its second recovery point. */
    private void dies(Moment moment) throws Exception {
        a.writeNoise(VOLUME, 0, MIB, 1);
        sync(a.take(VOLUME, "rp-1"));
        a.writeNoise(VOLUME, 0, MIB / 2, 2);
        a.writeNoise(VOLUME, 3L * MIB, BLOCK, 3);
        var second = a.take(VOLUME, "rp-2");
        diesAt(moment, second, "rp-1");
        // Else a commit that is partly applied would be met by no test.
        assertThat(Arrays.equals(b.read(VOLUME, null), b.read(VOLUME, "rp-1")))
                .isEqualTo(moment == Moment.INGEST_COMMITTED);
    }

    private void diesAt(Moment moment, RecoveryPoint point, String... bases) throws Exception {
        b.moments = reached -> {
            if (reached == moment) {
                throw new IllegalStateException("the target dies");
            }
        };
        assertThatThrownBy(() -> sync(point, bases)).isInstanceOf(ReplicationException.class);
        b.provider.close();
        b.moments = Moments.NONE;
    }

    /** As {@link #dies}, and somebody writes to three places. */
    private byte[] writtenWhileDead(Moment moment) throws Exception {
        dies(moment);
        b.writeNoise(VOLUME, MIB / 4, BLOCK, 7);
        b.writeNoise(VOLUME, 2L * MIB, 3 * BLOCK, 8);
        b.writeNoise(VOLUME, 4L * MIB - BLOCK, BLOCK, 9);
        return b.read(VOLUME, null);
    }

    @ParameterizedTest
    @EnumSource(
            value = Moment.class,
            names = {"INGEST_COMMITTED", "INGEST_PARTLY_APPLIED", "INGEST_APPLIED"})
    void whatOthersWroteBeforeACommitIsAppliedIsKeptAndNotInTheCopy(Moment moment) throws Exception {
        byte[] written = writtenWhileDead(moment);

        b.server.resumeIngests();

        assertThat(Arrays.equals(b.read(VOLUME, "rp-2"), a.read(VOLUME, "rp-2")))
                .isTrue();
        assertThat(Arrays.equals(b.read(VOLUME, null), a.read(VOLUME, "rp-2"))).isTrue();
        assertThat(b.catalog.kept).hasSize(1);
        var kept = b.catalog.kept.keySet().iterator().next();
        assertThat(Arrays.equals(b.read(VOLUME, kept.value()), written)).isTrue();
    }

    /** The first step before the source grows; it kept the site from starting. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aVolumeThatWasEnlargedMeanwhileGetsItsRecoveryPointAll(boolean alsoWritten) throws Exception {
        dies(Moment.INGEST_COMMITTED);
        if (alsoWritten) {
            b.writeNoise(VOLUME, 2L * MIB, BLOCK, 8);
        }
        b.storage.grow(VOLUME, 6L * MIB);

        b.server.resumeIngests();

        var copy = Arrays.copyOf(b.read(VOLUME, "rp-2"), 4 * MIB);
        assertThat(Arrays.equals(copy, a.read(VOLUME, "rp-2"))).isTrue();
        assertThat(b.catalog.kept).hasSize(alsoWritten ? 1 : 0);
    }

    /** A mounted file system writes by itself: each try would keep the volume once more. */
    @Test
    void aMountedVolumeIsNotKeptAtEachTry() throws Exception {
        writtenWhileDead(Moment.INGEST_COMMITTED);
        var providers = new Providers(List.of(b.provider));
        var snapshots = providers.snapshotsOf(VOLUME);
        var site = over(mounted(b.provider));
        var link = b.catalog.link(LINK).orElseThrow();

        for (int attempt = 0; attempt < 2; attempt++) {
            assertThatThrownBy(() -> TargetHost.finishCommitted(site, link))
                    .isInstanceOf(ReplicationException.class)
                    .hasMessageContaining("mounted at /srv/orders");
        }

        assertThat(b.catalog.kept).isEmpty();
        assertThat(providers.snapshotsOf(VOLUME)).isEqualTo(snapshots);
        b.server.resumeIngests();
        assertThat(b.catalog.kept).hasSize(1);
    }

    private TargetHost.Site over(StorageProvider provider) {
        return new TargetHost.Site(
                new Providers(List.of(provider)),
                b.catalog,
                TestSite.KERNEL,
                b.folder.resolve("ingest"),
                Moments.NONE,
                InstantSource.system(),
                System::nanoTime,
                "test");
    }

    /** Azure cuts an upload only once a writer of this process has flushed it; and nobody else is to have written. */
    @Test
    void aFirstCopyThatIsFoundIsFlushedBeforeItIsCutAndNotWhileItIsMounted() throws Exception {
        a.writeNoise(VOLUME, 0, MIB, 1);
        diesAt(Moment.INGEST_COMMITTED, a.take(VOLUME, "rp-1"));
        var link = b.catalog.link(LINK).orElseThrow();
        assertThatThrownBy(() -> TargetHost.finishCommitted(over(mounted(b.provider)), link))
                .isInstanceOf(ReplicationException.class)
                .hasMessageContaining("mounted at /srv/orders");
        assertThat(new Providers(List.of(b.provider)).snapshotsOf(VOLUME)).isEmpty();
        var events = new ArrayList<String>();

        TargetHost.finishCommitted(over(told(StorageProvider.class, b.provider, events)), link);

        assertThat(events).containsSubsequence("write", "flush", "close", "cut");
        assertThat(Arrays.equals(b.read(VOLUME, "rp-1"), a.read(VOLUME, "rp-1")))
                .isTrue();
    }

    /** Its log has no blocks: compared with a snapshot that came meanwhile, all of it would be others'. */
    @Test
    void aFirstCopyIsLeftAsItWasWrittenWhateverWasCutBesideIt() throws Exception {
        a.writeNoise(VOLUME, 0, MIB, 1);
        b.moments = reached -> {
            if (reached == Moment.INGEST_STARTED) {
                cutBeside();
            }
            if (reached == Moment.INGEST_COMMITTED) {
                throw new IllegalStateException("the target dies");
            }
        };
        var point = a.take(VOLUME, "rp-1");
        assertThatThrownBy(() -> sync(point)).isInstanceOf(ReplicationException.class);
        b.provider.close();
        b.moments = Moments.NONE;

        TargetHost.finishCommitted(over(b.provider), b.catalog.link(LINK).orElseThrow());

        assertThat(Arrays.equals(b.read(VOLUME, "rp-1"), a.read(VOLUME, "rp-1")))
                .isTrue();
        assertThat(b.catalog.kept).isEmpty();
    }

    private void cutBeside() {
        try {
            b.provider.cut(new CutRequest(new RecoveryPointId("rp-0"), List.of(VOLUME)));
        } catch (ProviderException e) {
            throw new AssertionError(e);
        }
    }

    /** Tells what is asked of it, and of its writers. */
    private static <T> T told(Class<T> type, T behind, List<String> events) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (_, method, arguments) -> {
                    events.add(method.getName());
                    try {
                        var answer = method.invoke(behind, arguments);
                        return answer instanceof VolumeWriter writer
                                ? told(VolumeWriter.class, writer, events)
                                : answer;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }

    private static StorageProvider mounted(StorageProvider provider) {
        return Answering.otherwise(
                provider,
                (answer, _) -> answer instanceof Volume volume
                        ? new Volume(
                                volume.id(),
                                volume.sizeBytes(),
                                volume.capabilities(),
                                volume.device(),
                                List.of(Path.of("/srv/orders")),
                                volume.facts())
                        : answer);
    }

    @Test
    void whatOthersWroteAfterTheCutIsLeftAloneAndShown() throws Exception {
        byte[] written = writtenWhileDead(Moment.TARGET_SNAPSHOT_CUT);

        b.server.resumeIngests();

        assertThat(Arrays.equals(b.read(VOLUME, "rp-2"), a.read(VOLUME, "rp-2")))
                .isTrue();
        assertThat(Arrays.equals(b.read(VOLUME, null), written)).isTrue();
        assertThat(b.catalog.kept).isEmpty();
        var third = a.take(VOLUME, "rp-3");
        assertThatThrownBy(() -> sync(third, "rp-2", "rp-1"))
                .isInstanceOfSatisfying(
                        ReplicationException.class,
                        e -> assertThat(e.error()).isInstanceOf(ReplicationError.TargetWritten.class));
    }

    @Test
    void aHandOverThatItsAskerHasGivenUpDoesNotPromote() throws Exception {
        a.writeNoise(VOLUME, 0, MIB, 1);
        var first = a.take(VOLUME, "rp-1");
        sync(first);
        var peer = a.catalog.peer(link().peer()).orElseThrow();
        assertThatThrownBy(() -> a.replicator.confirmPeerIsSource(link(), peer)).hasMessageContaining("not-source");

        assertThat(a.replicator.handOver(link(), peer, first.id()))
                .containsInstanceOf(ReplicationError.PeerRefused.class)
                .hasValueSatisfying(refusal -> assertThat(refusal.message()).contains("withdrawn"));

        assertThat(b.catalog.link(LINK).orElseThrow().role()).isEqualTo(ReplicationLink.Role.TARGET);
        sync(a.take(VOLUME, "rp-2"), "rp-1");
        assertThat(a.replicator.handOver(link(), peer, new RecoveryPointId("rp-2")))
                .isEmpty();
    }

    @Test
    void aSideThatHandsOverOrFollowsDoesNotSayThatItIsTheSource() throws Exception {
        a.writeNoise(VOLUME, 0, MIB, 1);
        sync(a.take(VOLUME, "rp-1"));
        b.catalog.promote(LINK, Optional.empty());
        b.catalog.links.computeIfPresent(LINK, (key, link) -> link.in(LinkState.HANDING_OVER, Optional.empty()));
        var peer = a.catalog.peer(link().peer()).orElseThrow();

        assertThatThrownBy(() -> a.replicator.confirmPeerIsSource(link(), peer)).hasMessageContaining("handed over");

        b.catalog.links.computeIfPresent(LINK, (key, link) -> link.in(LinkState.ACTIVE, Optional.empty()));
        b.server.beginFollowing(LINK);
        assertThatThrownBy(() -> a.replicator.confirmPeerIsSource(link(), peer)).hasMessageContaining("follows");
        b.server.endFollowing(LINK);
        a.replicator.confirmPeerIsSource(link(), peer);

        assertThat(List.of(link().role(), b.catalog.link(LINK).orElseThrow().role()))
                .containsOnly(ReplicationLink.Role.SOURCE);
    }
}

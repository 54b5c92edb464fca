package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.control.port.ExportHost;
import io.tidemark.domain.Export;
import io.tidemark.domain.ExportId;
import io.tidemark.domain.GroupId;
import io.tidemark.site.TestSite;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is exported is claimed exactly as long as it is. */
@Timeout(60)
class ExportClaimsTest {
    private static final VolumeId AWAY = new VolumeId("image:away");

    @TempDir
    Path folder;

    private final Host host = new Host();
    private final Claims claims = new Claims();
    private TestSite site;
    private ManageExports exports;
    private RecoveryPointId point;

    /** Ends an export only once it may; makes one twice, as a host must not be asked to. */
    private static final class Host implements ExportHost {
        private final Map<ExportId, Open> open = new ConcurrentHashMap<>();
        private final Map<ExportId, Export> kept = new ConcurrentHashMap<>();
        private final CountDownLatch ending = new CountDownLatch(1);
        private final CountDownLatch mayEnd = new CountDownLatch(1);
        private int opened;
        private boolean full;
        private CountDownLatch mayOpen = new CountDownLatch(0);
        private ProviderError refusal = new ProviderError.Unexpected("opening", "it is open");

        @Override
        public void open(Export export) throws ProviderException {
            try {
                mayOpen.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            opened++;
            if (opened > 1) {
                throw new ProviderException(refusal);
            }
            open.put(export.id(), new Open(export, 1 << 20, 0, 0, false, false, List.of()));
        }

        @Override
        public void keep(Export export) throws ProviderException {
            if (full) {
                throw new ProviderException(new ProviderError.Unexpected("keeping", "the disk is full"));
            }
            kept.put(export.id(), export);
        }

        @Override
        public void forget(ExportId id) {
            kept.remove(id);
        }

        @Override
        public List<Export> kept() {
            return List.copyOf(kept.values());
        }

        @Override
        public List<Open> all() {
            return List.copyOf(open.values());
        }

        @Override
        public Optional<Open> find(ExportId id) {
            return Optional.ofNullable(open.get(id));
        }

        @Override
        public List<String> notServed() {
            return List.of();
        }

        @Override
        public Closing close(ExportId id, Runnable ended) throws InterruptedException {
            if (!open.containsKey(id)) {
                return Closing.NONE;
            }
            if (ending.getCount() == 0) {
                return Closing.ENDING;
            }
            ending.countDown();
            mayEnd.await();
            open.remove(id);
            ended.run();
            return Closing.ENDED;
        }
    }

    @BeforeEach
    void start() throws Exception {
        site = TestSite.in(folder).recovered();
        site.addGroup("orders", "orders");
        var intent = site.intent();
        site.awaitEnd(site.control
                .points()
                .create()
                .start(new GroupId("orders"), intent)
                .id());
        point = intent.recoveryPoint();
        exports = new ManageExports(
                host,
                site.stores,
                site.control.inventory(),
                site.providers,
                site.live(),
                claims,
                InstantSource.system());
    }

    @AfterEach
    void stop() {
        site.close();
    }

    private boolean mayBeDeleted() {
        boolean may =
                claims.tryAcquire("a deletion", List.of(Claim.alone(point))).isEmpty();
        if (may) {
            claims.release("a deletion");
        }
        return may;
    }

    @Test
    void aRequestWhoseAnswerWasLostIsAnsweredWithWhatItMade() throws Exception {
        var intent = site.intent();
        var first = exports.ofRecoveryPoint(point, Export.Access.OVERLAY, intent);

        assertThat(exports.ofRecoveryPoint(point, Export.Access.OVERLAY, intent))
                .isEqualTo(first);
        assertThat(mayBeDeleted()).isFalse();
        host.mayEnd.countDown();
        exports.remove(first.getFirst().export().id());
        assertThat(mayBeDeleted()).isTrue();
    }

    @Test
    void whatWasExportedBeforeARestartIsServedAndClaimedAgain() throws Exception {
        var snapshot = site.control
                .inventory()
                .recoveryPoint(point)
                .members()
                .getFirst()
                .snapshot();
        host.keep(new Export(new ExportId("ex-before"), snapshot.toString(), Export.Access.READ_ONLY, Instant.EPOCH));

        exports.openAgain();

        assertThat(host.all()).extracting(open -> open.export().id().value()).containsExactly("ex-before");
        assertThat(mayBeDeleted()).isFalse();
        host.mayEnd.countDown();
        exports.remove(new ExportId("ex-before"));
        assertThat(host.kept()).isEmpty();
        assertThat(mayBeDeleted()).isTrue();
    }

    @Test
    void whatIsRefusedAtARestartIsKeptClaimedAndListedUntilItOpens() throws Exception {
        host.opened = 1;
        // Also what a provider answers whose folder is not mounted yet.
        host.refusal = new ProviderError.VolumeNotFound(AWAY);
        host.keep(new Export(new ExportId("ex-away"), AWAY.value(), Export.Access.WRITABLE, Instant.EPOCH));

        exports.openAgain();

        assertThat(host.kept()).hasSize(1);
        assertThat(exports.all()).singleElement().satisfies(open -> {
            assertThat(open.away()).isTrue();
            assertThat(open.uris()).isEmpty();
        });
        assertThat(mayBeWritten()).isFalse();

        host.opened = 0;
        exports.look();
        assertThat(exports.all())
                .singleElement()
                .satisfies(open -> assertThat(open.away()).isFalse());
        assertThat(mayBeWritten()).isFalse();
    }

    /** A cloud that does not answer would hold it up for minutes. */
    @Test
    @Timeout(30)
    void aStartDoesNotWaitForStorageThatDoesNotAnswer() throws Exception {
        host.mayOpen = new CountDownLatch(1);
        host.keep(new Export(new ExportId("ex-slow"), AWAY.value(), Export.Access.WRITABLE, Instant.EPOCH));

        exports.openAgain();

        assertThat(exports.all())
                .singleElement()
                .satisfies(open -> assertThat(open.away()).isTrue());
        assertThat(mayBeWritten()).isFalse();
        host.mayOpen.countDown();
        Awaitility.await().until(() -> exports.all().stream().noneMatch(ExportHost.Open::away));
        assertThat(mayBeWritten()).isFalse();
    }

    @Test
    void whatCannotBeKeptIsNotMade() {
        host.full = true;
        host.mayEnd.countDown();

        assertThatThrownBy(() -> exports.ofRecoveryPoint(point, Export.Access.READ_ONLY, site.intent()))
                .hasMessageContaining("the disk is full");

        assertThat(host.all()).isEmpty();
        assertThat(mayBeDeleted()).isTrue();
    }

    @Test
    void whatIsAwayIsGivenUpByItsRemoval() throws Exception {
        host.opened = 1;
        host.keep(new Export(new ExportId("ex-away"), AWAY.value(), Export.Access.WRITABLE, Instant.EPOCH));
        exports.openAgain();

        assertThat(exports.remove(new ExportId("ex-away"))).isEmpty();

        assertThat(host.kept()).isEmpty();
        assertThat(exports.all()).isEmpty();
        assertThat(mayBeWritten()).isTrue();
        host.opened = 0;
        exports.look();
        assertThat(host.all()).isEmpty();
    }

    private boolean mayBeWritten() {
        boolean may =
                claims.tryAcquire("a rollback", List.of(Claim.writing(AWAY))).isEmpty();
        if (may) {
            claims.release("a rollback");
        }
        return may;
    }

    @Test
    void whatIsBeingRemovedStaysClaimedUntilItIsWhoeverElseAsksForItMeanwhile() throws Exception {
        var intent = site.intent();
        var id = exports.ofRecoveryPoint(point, Export.Access.OVERLAY, intent)
                .getFirst()
                .export()
                .id();
        var removal = new FutureTask<Void>(() -> {
            exports.remove(id);
            return null;
        });
        Thread.ofPlatform().daemon().start(removal);
        host.ending.await();

        assertThat(exports.remove(id)).as("it is being ended").isPresent();
        assertThat(mayBeDeleted()).isFalse();
        assertThat(exports.ofRecoveryPoint(point, Export.Access.OVERLAY, intent))
                .singleElement()
                .satisfies(again -> assertThat(again.export().id()).isEqualTo(id));
        assertThat(mayBeDeleted()).isFalse();

        host.mayEnd.countDown();
        removal.get();
        assertThat(mayBeDeleted()).isTrue();
    }
}

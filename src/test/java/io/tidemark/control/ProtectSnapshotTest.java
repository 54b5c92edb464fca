package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.site.Protections;
import io.tidemark.site.TestSite;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotArchives.Tier;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotLocks.LockMode;
import io.tidemark.spi.SnapshotLocks.LockRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the storage does with a snapshot besides keeping it, and what deletions make of that. */
@Timeout(60)
class ProtectSnapshotTest {
    private static final LockRequest LOCK =
            new LockRequest(LockMode.GOVERNANCE, Instant.parse("2030-01-01T00:00:00Z"), Duration.ZERO);

    @TempDir
    Path folder;

    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-11-27T00:00:00Z"));
    private final Protections storage = new Protections();
    private TestSite site;
    private RecoveryPointId point;
    private List<SnapshotId> members;

    @BeforeEach
    void start() throws Exception {
        var settings = new OperationSettings(8, Duration.ofSeconds(20));
        site = TestSite.in(folder, now::get, settings, Observer.NONE).recovered();
        site.protections = Optional.of(storage);
        site.addGroup("orders", "orders", "files");
        var taken = site.control.points().create().start(new GroupId("orders"), site.intent());
        site.awaitEnd(taken.id());
        var made = points().getFirst();
        point = made.id();
        members = made.members().stream().map(RecoveryPoint.Member::snapshot).toList();
    }

    @AfterEach
    void stop() {
        site.close();
    }

    private List<RecoveryPoint> points() throws Exception {
        return site.control
                .inventory()
                .recoveryPoints(Optional.empty(), Optional.empty(), 10)
                .items();
    }

    private ProtectSnapshot protect() {
        return site.control.volumes().protectSnapshot();
    }

    @Test
    void memberThatIsLockedKeepsItsWholeRecoveryPoint() throws Exception {
        var last = members.getLast();
        protect().lock(last, LOCK);

        assertThatThrownBy(() -> site.control.points().delete().delete(point))
                .isInstanceOfSatisfying(
                        ProviderException.class, e -> assertThat(e.error()).isInstanceOf(ProviderError.Conflict.class))
                .hasMessageContaining(last.toString())
                .hasMessageContaining("locked in mode governance until 2030-01-01");

        assertThat(points()).hasSize(1);
        assertThat(storage.deletions).isEmpty();
        protect().unlock(last);
        site.control.points().delete().delete(point);
        assertThat(points()).isEmpty();
        assertThat(site.snapshotCount()).isZero();
    }

    @Test
    void pointOfSeveralStaysWholeWhereItCannotBeToldWhetherOneIsLocked() throws Exception {
        storage.lock(members.getLast(), LOCK);
        for (var untold : List.of(
                new ProviderError.Denied("locks", "ec2:DescribeLockedSnapshots"),
                new ProviderError.Busy("locks", "Amazon's limit of requests", Duration.ofSeconds(2)),
                new ProviderError.Unexpected("DescribeLockedSnapshots", "InternalError"))) {
            storage.lockUntold = Optional.of(untold);

            assertThatThrownBy(() -> site.control.points().delete().delete(point))
                    .hasMessageContaining(untold.message());

            assertThat(points()).hasSize(1);
            assertThat(storage.deletions).isEmpty();
        }
        storage.lockUntold = Optional.of(new ProviderError.SnapshotNotFound(members.getFirst()));
        storage.locks.clear();
        site.control.points().delete().delete(point);
        assertThat(points()).isEmpty();
    }

    @Test
    void lockThatIsOnlyFoundByTheStorageKeepsThePointThatIsAlone() throws Exception {
        site.addGroup("alone", "alone");
        site.awaitEnd(site.control
                .points()
                .create()
                .start(new GroupId("alone"), site.intent())
                .id());
        var alone = points().getFirst();
        storage.lock(alone.members().getFirst().snapshot(), LOCK);
        storage.lockUntold = Optional.of(new ProviderError.Denied("locks", "ec2:DescribeLockedSnapshots"));

        assertThatThrownBy(() -> site.control.points().delete().delete(alone.id()))
                .hasMessageContaining("the storage has it locked");

        assertThat(points()).hasSize(2);
        storage.locks.clear();
        site.control.points().delete().delete(alone.id());
        assertThat(points()).hasSize(1);
    }

    @Test
    void deletionThatIsRefusedHalfWayIsTriedEverMoreSeldom() throws Exception {
        storage.lock(members.getLast(), LOCK);
        storage.lock(members.getFirst(), LOCK);
        site.store.recoveryPoints().markDeleting(point, true);

        var tries = new java.util.ArrayList<Integer>();
        for (int minutes = 0; minutes <= 4 * 24 * 60; minutes += 10) {
            int before = storage.deletions.size();
            site.control.points().delete().recover();
            if (storage.deletions.size() > before) {
                tries.add(minutes);
            }
            now.updateAndGet(at -> at.plus(Duration.ofMinutes(10)));
        }

        assertThat(tries).startsWith(0, 10, 30, 70, 150).hasSizeLessThan(13);
        assertThat(tries.getLast() - tries.get(tries.size() - 2))
                .as("at the longest a day")
                .isEqualTo(24 * 60);
        storage.locks.clear();
        now.updateAndGet(at -> at.plus(Duration.ofDays(1)));
        site.control.points().delete().recover();
        assertThat(site.snapshotCount()).isZero();
    }

    @Test
    void snapshotThatALinkGoesOnFromIsNotArchived() throws Exception {
        var snapshot = members.getFirst();
        var peer = new PeerId("target");
        site.store.catalog().savePeer(new Peer(peer, "127.0.0.1:1", "11".repeat(32), Instant.EPOCH));
        site.store
                .catalog()
                .saveLink(new ReplicationLink(
                        new LinkId("ln-1"),
                        ReplicationLink.Role.SOURCE,
                        peer,
                        snapshot.volume(),
                        snapshot.volume(),
                        new GroupId("orders"),
                        Optional.empty(),
                        Optional.of(point),
                        Optional.empty()));

        assertThatThrownBy(() -> protect().archive(snapshot)).hasMessageContaining("link ln-1");

        assertThat(storage.tierOf(snapshot).tier()).isEqualTo(Tier.STANDARD);
        protect().archive(members.getLast());
        assertThat(storage.tierOf(members.getLast()).tier()).isEqualTo(Tier.ARCHIVING);
    }

    @Test
    void storageWithoutTheAbilityRefusesByName() {
        site.protections = Optional.empty();
        var snapshot = members.getFirst();

        for (var says : List.of("locks", "archive", "fast restores", "recycle bin")) {
            assertThatThrownBy(() -> {
                        switch (says) {
                            case "locks" -> protect().lock(snapshot, LOCK);
                            case "archive" -> protect().archive(snapshot);
                            case "fast restores" -> protect().setFastRestore(snapshot, List.of("a"), true);
                            default -> protect().undelete(snapshot);
                        }
                    })
                    .isInstanceOf(ProviderException.class)
                    .hasMessageContaining("has no")
                    .hasMessageContaining(says);
        }
        assertThatThrownBy(() -> protect().binned("memory")).hasMessageContaining("recycle bin");
    }

    @Test
    void whatCannotBeAskedIsNamedBesideTheRest() throws Exception {
        storage.lockUntold = Optional.of(new ProviderError.Denied("locks", "ec2:DescribeLockedSnapshots"));
        protect().archive(members.getFirst());

        var told = protect().of(members.getFirst());

        assertThat(told.untold()).singleElement().asString().contains("ec2:DescribeLockedSnapshots");
        assertThat(told.tier()).isPresent();
    }
}

package io.tidemark.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.control.port.LinkStore;
import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Operation;
import io.tidemark.domain.OperationId;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.domain.SyncReport;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SiteStoreTest {
    private static final Instant NOW = Instant.parse("2026-11-23T01:02:03.456Z");
    private static final VolumeId VOLUME = new VolumeId("image:orders");
    private static final PeerId PEER = new PeerId("site-b");
    private static final LinkId LINK = new LinkId("ln-1");

    @TempDir
    Path folder;

    private SiteStore store;

    @BeforeEach
    void open() {
        store = SiteStore.open(folder);
    }

    @AfterEach
    void close() {
        store.close();
    }

    private void reopen() {
        store.close();
        store = SiteStore.open(folder);
    }

    private static ConsistencyGroup group(String id) {
        return new ConsistencyGroup(
                new GroupId(id),
                List.of(VOLUME, new VolumeId("image:wal")),
                List.of(new QuiescerSpec("postgresql", Map.of("port", "5432"))),
                true,
                Duration.ofMillis(1_234),
                Consistency.APPLICATION);
    }

    private static RecoveryPoint point(String id) {
        var pointId = new RecoveryPointId(id);
        var snapshot = new SnapshotId(VOLUME, pointId);
        var certificate = new Certificate(
                "host",
                "boot",
                List.of(new Certificate.Freeze("postgresql", "127.0.0.1", 1, 2, 8, 9, true, Map.of("lsn", "0/1"))),
                List.of(new Certificate.CutTimes(snapshot, 3, 4)),
                true,
                List.of("one reason"));
        return new RecoveryPoint(
                pointId,
                new GroupId("orders"),
                NOW,
                Consistency.FILESYSTEM,
                certificate,
                List.of(new RecoveryPoint.Member(VOLUME, snapshot, 4_096)),
                Map.of("backup_label", "START\n"),
                Optional.of(LINK),
                Optional.empty());
    }

    private static Peer peer(String id, char digit) {
        return new Peer(new PeerId(id), "10.0.0.2:7421", String.valueOf(digit).repeat(64), NOW);
    }

    private static ReplicationLink link() {
        return new ReplicationLink(
                LINK,
                ReplicationLink.Role.TARGET,
                PEER,
                VOLUME,
                new VolumeId("image:copy"),
                new GroupId("orders"),
                Optional.of(Duration.ofMinutes(15)),
                Optional.empty(),
                Optional.empty());
    }

    private static SyncReport report(String point) {
        return new SyncReport(
                new RecoveryPointId(point),
                Optional.empty(),
                "full",
                1,
                2,
                3,
                4,
                5,
                6,
                7,
                Duration.ofNanos(123_456_789));
    }

    private static Operation operation(String id, Operation.State state) {
        return new Operation(
                new OperationId(id),
                "sync",
                "ln-1",
                state,
                "{\"link\":\"ln-1\"}",
                "started",
                new Operation.Progress("send", 5, 10, "bytes"),
                Optional.of("{}"),
                Optional.empty(),
                NOW,
                NOW);
    }

    @Test
    void aGroupIsTheSameAfterReopening() {
        store.groups().add(group("orders"));

        reopen();

        assertThat(store.groups().find(new GroupId("orders"))).contains(group("orders"));
        assertThat(store.groups().ofVolume(VOLUME)).containsExactly(new GroupId("orders"));
    }

    @Test
    void aSecondGroupOfOneIdIsRefusedAndTheFirstStays() {
        store.groups().add(group("orders"));

        boolean added = store.groups().add(group("orders"));

        assertThat(added).isFalse();
        assertThat(store.groups().page(Optional.empty(), 10).items()).hasSize(1);
    }

    @Test
    void replacingAGroupChangesWhichVolumesItIsFoundBy() {
        store.groups().add(group("orders"));
        var smaller = new ConsistencyGroup(
                new GroupId("orders"), List.of(VOLUME), List.of(), false, Duration.ofSeconds(1), Consistency.CRASH);

        assertThat(store.groups().replace(smaller)).isTrue();

        assertThat(store.groups().ofVolume(new VolumeId("image:wal"))).isEmpty();
        assertThat(store.groups().find(new GroupId("orders"))).contains(smaller);
    }

    @Test
    void groupsComeInPagesInOrderOfId() {
        for (var id : List.of("c", "a", "b")) {
            store.groups().add(group(id));
        }

        var first = store.groups().page(Optional.empty(), 2);
        var second = store.groups().page(first.next(), 2);

        assertThat(first.items()).extracting(group -> group.id().value()).containsExactly("a", "b");
        assertThat(second.items()).extracting(group -> group.id().value()).containsExactly("c");
        assertThat(second.next()).isEmpty();
    }

    @Test
    void aRecoveryPointIsTheSameAfterReopening() {
        store.recoveryPoints().add(point("rp-1"));

        reopen();

        assertThat(store.recoveryPoints().find(new RecoveryPointId("rp-1"))).contains(point("rp-1"));
    }

    @Test
    void recoveryPointsComeNewestFirstByOrderOfArrivalNotByClockOrId() {
        for (var id : List.of("rp-9", "rp-1", "rp-5")) {
            store.recoveryPoints().add(point(id));
        }

        var first = store.recoveryPoints().page(Optional.empty(), OptionalLong.empty(), 2);
        var before = OptionalLong.of(Long.parseLong(first.next().orElseThrow()));
        var second = store.recoveryPoints().page(Optional.of(new GroupId("orders")), before, 2);

        assertThat(first.items()).extracting(point -> point.id().value()).containsExactly("rp-5", "rp-1");
        assertThat(second.items()).extracting(point -> point.id().value()).containsExactly("rp-9");
        assertThat(store.recoveryPoints().ofVolume(VOLUME)).hasSize(3);
    }

    @Test
    void aRecoveryPointThatIsBeingDeletedIsHiddenButKnown() {
        store.recoveryPoints().add(point("rp-1"));
        store.recoveryPoints().markDeleting(new RecoveryPointId("rp-1"), true);

        reopen();

        assertThat(store.recoveryPoints().find(new RecoveryPointId("rp-1"))).isEmpty();
        assertThat(store.recoveryPoints().knows(new RecoveryPointId("rp-1"))).isTrue();
        assertThat(store.recoveryPoints().deleting()).containsExactly(point("rp-1"));
    }

    @Test
    void aReceivedRecoveryPointAndItsLinkMoveTogether() {
        store.catalog().savePeer(peer("site-b", 'a'));
        store.catalog().saveLink(link());

        store.catalog().recordReceived(point("rp-7"), LINK, report("rp-7"));
        reopen();

        var moved = store.catalog().link(LINK).orElseThrow();
        assertThat(moved.inStep()).contains(new RecoveryPointId("rp-7"));
        assertThat(moved.lastReport()).contains(report("rp-7"));
        assertThat(store.recoveryPoints().find(new RecoveryPointId("rp-7"))).isPresent();
    }

    @Test
    void aRecoveryPointOfSeveralVolumesKeepsTheMemberOfEveryLinkThatBroughtIt() {
        store.catalog().savePeer(peer("site-b", 'a'));
        store.catalog().saveLink(link());
        var logs = new VolumeId("image:logs");
        var first = point("rp-7");
        var member = new RecoveryPoint.Member(logs, new SnapshotId(logs, first.id()), 8_192);

        store.catalog().recordReceived(first, LINK, report("rp-7"));
        for (int time = 0; time < 2; time++) {
            store.catalog().recordReceived(ofOneMember(first, first.group(), member), LINK, report("rp-7"));
        }
        reopen();

        var known = store.recoveryPoints().find(first.id()).orElseThrow();
        assertThat(known).isEqualTo(first.with(List.of(member)));
        assertThat(store.recoveryPoints().ofVolume(logs)).containsExactly(known);
        assertThat(store.recoveryPoints().ofVolume(VOLUME)).containsExactly(known);
    }

    @Test
    void aReceivedMemberDoesNotJoinARecoveryPointOfAnotherGroup() {
        store.catalog().savePeer(peer("site-b", 'a'));
        store.catalog().saveLink(link());
        var logs = new VolumeId("image:logs");
        var first = point("rp-7");
        var member = new RecoveryPoint.Member(logs, new SnapshotId(logs, first.id()), 8_192);

        store.catalog().recordReceived(first, LINK, report("rp-7"));
        store.catalog().recordReceived(ofOneMember(first, new GroupId("others"), member), LINK, report("rp-7"));

        assertThat(store.recoveryPoints().find(first.id())).contains(first);
        assertThat(store.recoveryPoints().ofVolume(logs)).isEmpty();
    }

    private static RecoveryPoint ofOneMember(RecoveryPoint point, GroupId group, RecoveryPoint.Member member) {
        return new RecoveryPoint(
                point.id(),
                group,
                point.createdAt(),
                point.consistency(),
                point.certificate(),
                List.of(member),
                point.evidence(),
                point.receivedOver(),
                Optional.empty());
    }

    @Test
    void aRecoveryPointReceivedOverAnUnknownLinkIsNotRecorded() {
        assertThatThrownBy(() -> store.catalog().recordReceived(point("rp-7"), LINK, report("rp-7")))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("ln-1");

        assertThat(store.recoveryPoints().knows(new RecoveryPointId("rp-7"))).isFalse();
    }

    @Test
    void aPeerCannotBeGivenAnotherKey() {
        store.catalog().savePeer(peer("site-b", 'a'));

        assertThatThrownBy(() -> store.catalog().savePeer(peer("site-b", 'b'))).isInstanceOf(StoreException.class);

        assertThat(store.catalog().peer(PEER).orElseThrow().fingerprint()).startsWith("aaaa");
    }

    @Test
    void aKeyCannotBelongToTwoPeers() {
        store.catalog().savePeer(peer("site-b", 'a'));

        assertThatThrownBy(() -> store.catalog().savePeer(peer("site-c", 'a'))).isInstanceOf(StoreException.class);

        assertThat(store.catalog().peerByFingerprint("a".repeat(64))).contains(peer("site-b", 'a'));
    }

    @Test
    void aLinkWithoutItsPeerIsRefused() {
        assertThatThrownBy(() -> store.links().save(link())).isInstanceOf(StoreException.class);
    }

    @Test
    void aPeerWithALinkIsNotRemoved() {
        store.catalog().savePeer(peer("site-b", 'a'));
        store.links().save(link());

        assertThatThrownBy(() -> store.peers().remove(PEER)).isInstanceOf(StoreException.class);
    }

    @Test
    void anInvitationIsTakenOnceAndOnlyInTime() {
        store.catalog().saveInvitation("aa", PEER, NOW.plusSeconds(60));
        store.catalog().saveInvitation("bb", PEER, NOW.plusSeconds(60));
        reopen();

        assertThat(store.catalog().takeInvitation("aa", NOW)).contains(PEER);
        assertThat(store.catalog().takeInvitation("aa", NOW)).isEmpty();
        assertThat(store.catalog().takeInvitation("bb", NOW.plusSeconds(60))).isEmpty();
    }

    @Test
    void whenALinkIsDueSurvivesReopeningAndGoesWithTheLink() {
        store.catalog().savePeer(peer("site-b", 'a'));
        store.links().save(link());
        store.links().saveDue(new LinkStore.Due(LINK, NOW, 3));

        reopen();

        assertThat(store.links().due(LINK)).contains(new LinkStore.Due(LINK, NOW, 3));
        store.links().remove(LINK);
        assertThat(store.links().due(LINK)).isEmpty();
        store.links().saveDue(new LinkStore.Due(LINK, NOW, 4));
        assertThat(store.links().due(LINK)).isEmpty();
    }

    @Test
    void whenALinkIsDueIsMovedOnlyFromWhatItsMoverKnew() {
        store.catalog().savePeer(peer("site-b", 'a'));
        store.links().save(link());
        var changed = new LinkStore.Due(LINK, NOW, 0);

        store.links().moveDue(LINK, Optional.empty(), link -> changed);
        store.links().moveDue(LINK, Optional.empty(), link -> new LinkStore.Due(LINK, NOW, 1));
        store.links()
                .moveDue(LINK, Optional.of(new LinkStore.Due(LINK, NOW, 2)), link -> new LinkStore.Due(LINK, NOW, 3));

        assertThat(store.links().due(LINK)).contains(changed);
        store.links().moveDue(LINK, Optional.of(changed), link -> new LinkStore.Due(LINK, NOW, 4));
        assertThat(store.links().due(LINK)).contains(new LinkStore.Due(LINK, NOW, 4));
        store.links().remove(LINK);
        store.links().moveDue(LINK, Optional.empty(), link -> changed);
        assertThat(store.links().due(LINK)).isEmpty();
    }

    @Test
    void operationsAreTheSameAfterReopeningAndFoundByStateAndByWhatTheyMake() {
        store.operations().add(operation("op-1", Operation.State.RUNNING), Optional.of(new RecoveryPointId("rp-1")));
        store.operations().add(operation("op-2", Operation.State.FAILED), Optional.empty());

        reopen();

        assertThat(store.operations().unfinished()).containsExactly(operation("op-1", Operation.State.RUNNING));
        assertThat(store.operations().makerOf(new RecoveryPointId("rp-1")))
                .contains(operation("op-1", Operation.State.RUNNING));
        assertThat(store.operations()
                        .page(Optional.of("sync"), Optional.of(Operation.State.FAILED), OptionalLong.empty(), 10)
                        .items())
                .containsExactly(operation("op-2", Operation.State.FAILED));
    }

    @Test
    void onlyEndedOperationsAreForgotten() {
        store.operations().add(operation("op-1", Operation.State.RUNNING), Optional.empty());
        store.operations().add(operation("op-2", Operation.State.FAILED), Optional.empty());

        int forgotten = store.operations().forgetEndedBefore(NOW.plusSeconds(1));

        assertThat(forgotten).isEqualTo(1);
        assertThat(store.operations().find(new OperationId("op-1"))).isPresent();
    }

    @Test
    void anIdempotencyKeyKeepsItsFirstRequestUntilItExpires() {
        var first = store.idempotency().reserve("k", "hash-1", "id1", NOW, NOW.plusSeconds(10));
        reopen();

        var again = store.idempotency().reserve("k", "hash-2", "id2", NOW.plusSeconds(5), NOW.plusSeconds(15));
        var later = store.idempotency().reserve("k", "hash-3", "id3", NOW.plusSeconds(10), NOW.plusSeconds(20));

        assertThat(first.fresh()).isTrue();
        assertThat(again.fresh()).isFalse();
        assertThat(again.requestHash()).isEqualTo("hash-1");
        assertThat(again.idBody()).isEqualTo("id1");
        assertThat(later.fresh()).isTrue();
    }

    @Test
    void aReleasedKeyIsFreeButAnAnsweredOneIsNot() {
        store.idempotency().reserve("free", "h", "id1", NOW, NOW.plusSeconds(10));
        store.idempotency().release("free");
        store.idempotency().reserve("kept", "h", "id2", NOW, NOW.plusSeconds(10));
        store.idempotency().answered("kept", "answer");
        store.idempotency().release("kept");

        assertThat(store.idempotency()
                        .reserve("free", "h2", "id3", NOW, NOW.plusSeconds(10))
                        .fresh())
                .isTrue();
        assertThat(store.idempotency()
                        .reserve("kept", "h", "id4", NOW, NOW.plusSeconds(10))
                        .answer())
                .contains("answer");
    }

    @Test
    void aSecondOpeningOfTheFolderIsRefusedAndNamesTheProcess() {
        assertThatThrownBy(() -> SiteStore.open(folder))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining(
                        "in use by process " + ProcessHandle.current().pid());
    }

    @Test
    void aLinkOfTheFirstSchemaIsActiveAndUnlimitedAfterTheUpdate() throws Exception {
        var link = link();
        store.catalog().savePeer(peer(PEER.value(), 'e'));
        store.links().save(link);
        store.close();
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("tidemark.db"));
                var statement = connection.createStatement()) {
            statement.execute("UPDATE links SET document ="
                    + " json_remove(document, '$.state', '$.underway', '$.rates', '$.onArrival')");
            statement.execute("DROP TABLE transfers");
            statement.execute("DROP TABLE tracking_audits");
            statement.execute("DROP TABLE agents");
            statement.execute("DROP TABLE agent_invitations");
            statement.execute("DELETE FROM flyway_schema_history WHERE version > '1'");
        }

        store = SiteStore.open(folder);

        assertThat(store.links().find(link.id())).contains(link);
    }

    @Test
    void aFileThatIsNoDatabaseIsRefused(@TempDir Path other) throws Exception {
        Files.writeString(
                other.resolve("tidemark.db"), "this is no database, but long enough to be looked at ".repeat(50));

        assertThatThrownBy(() -> SiteStore.open(other))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("tidemark.db");
    }

    @Test
    void theDatabaseLogsAheadSyncsAndEnforcesKeys() {
        store.database().read("pragmas", connection -> {
            assertThat(pragma(connection, "journal_mode")).isEqualTo("wal");
            assertThat(pragma(connection, "synchronous")).isEqualTo("2");
            assertThat(pragma(connection, "foreign_keys")).isEqualTo("1");
            return true;
        });
    }

    private static String pragma(java.sql.Connection connection, String name) throws java.sql.SQLException {
        return Sql.one(connection, row -> row.getString(1), "PRAGMA " + name).orElseThrow();
    }
}

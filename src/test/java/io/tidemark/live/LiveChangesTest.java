package io.tidemark.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.control.port.LiveHost;
import io.tidemark.control.port.LiveHost.Aspect;
import io.tidemark.domain.LinkId;
import io.tidemark.replication.live.Generation;
import io.tidemark.replication.live.LiveStatus;
import io.tidemark.replication.live.LiveStatus.DiskState;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.LiveStatus.Role;
import io.tidemark.replication.live.LiveStatus.Verify;
import io.tidemark.replication.live.LiveStatus.VerifyState;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LiveChangesTest {
    private static final Instant NOW = Instant.parse("2026-11-28T10:00:00Z");
    private final LiveChanges changes = new LiveChanges(new LinkId("ln-1"), InstantSource.fixed(NOW));

    private static LiveStatus status(Role role, ReplicationState replication, long dirty) {
        return new LiveStatus(role, DiskState.UP_TO_DATE, replication, dirty, Optional.empty(), Optional.empty());
    }

    private static LiveStatus verifying(VerifyState state, long compared) {
        return new LiveStatus(
                Role.SECONDARY,
                DiskState.UP_TO_DATE,
                ReplicationState.ESTABLISHED,
                0,
                Optional.empty(),
                Optional.of(new Verify(compared, 2, state)));
    }

    @Test
    void eachChangeIsToldOfOnceAndDirtyBitsAreNone() {
        changes.changed(status(Role.SECONDARY, ReplicationState.OFF, 0));
        changes.changed(status(Role.SECONDARY, ReplicationState.OFF, 1));
        changes.changed(status(Role.PRIMARY, ReplicationState.OFF, 2));
        changes.changed(status(Role.PRIMARY, ReplicationState.ESTABLISHED, 0));

        assertThat(changes.counts()).isEqualTo(Map.of(Aspect.ROLE, 2L, Aspect.DISK, 1L, Aspect.REPLICATION, 2L));
        assertThat(changes.newest())
                .containsSubsequence(
                        new LiveHost.Change(1, NOW, Aspect.ROLE, "", "SECONDARY"),
                        new LiveHost.Change(4, NOW, Aspect.ROLE, "SECONDARY", "PRIMARY"),
                        new LiveHost.Change(5, NOW, Aspect.REPLICATION, "OFF", "ESTABLISHED"));
    }

    @Test
    void splitBrainIsToldOfEachTime() {
        var split = new LiveStatus(
                Role.SECONDARY,
                DiskState.UP_TO_DATE,
                ReplicationState.STAND_ALONE,
                3,
                Optional.of("split brain"),
                Optional.empty(),
                true);

        changes.changed(split);
        changes.changed(split);
        assertThat(changes.counts()).containsEntry(Aspect.SPLIT_BRAIN, 1L);
        changes.changed(status(Role.SECONDARY, ReplicationState.OFF, 3));
        changes.changed(split);

        assertThat(changes.counts()).containsEntry(Aspect.SPLIT_BRAIN, 2L);
    }

    /** A peer that stands alone is dialled again and again, and ends each session: that pushes out nothing. */
    @Test
    void meetingsThatComeToNothingAreNotTold() {
        var split = new LiveStatus(
                Role.SECONDARY,
                DiskState.UP_TO_DATE,
                ReplicationState.STAND_ALONE,
                3,
                Optional.of("split brain"),
                Optional.empty(),
                true);
        changes.changed(split);
        for (int dial = 0; dial < 200; dial++) {
            changes.changed(status(Role.SECONDARY, ReplicationState.OFF, 3));
            changes.changed(status(Role.SECONDARY, ReplicationState.MEETING, 3));
        }
        changes.changed(status(Role.SECONDARY, ReplicationState.SYNC_SOURCE, 3));

        assertThat(changes.newest()).anyMatch(each -> each.aspect() == Aspect.SPLIT_BRAIN);
        assertThat(changes.counts()).containsEntry(Aspect.REPLICATION, 3L);
        assertThat(changes.newest().getLast().from()).isEqualTo("OFF");
        assertThat(changes.newest().getLast().to()).isEqualTo("SYNC_SOURCE");
    }

    @Test
    void verifyIsToldOfWhenItHasEnded() {
        changes.changed(verifying(VerifyState.RUNNING, 5));
        changes.changed(verifying(VerifyState.RUNNING, 9));
        assertThat(changes.counts()).doesNotContainKey(Aspect.VERIFY);
        changes.changed(verifying(VerifyState.ENDED, 10));
        changes.changed(verifying(VerifyState.ENDED, 10));

        assertThat(changes.counts()).containsEntry(Aspect.VERIFY, 1L);
        assertThat(changes.newest().getLast().to()).isEqualTo("ENDED: 2 blocks of 10 differ");
    }

    @Test
    void generationsAreToldOfByBoth() {
        changes.begun(Optional.empty(), new Generation(10));
        changes.begun(Optional.of(new Generation(10)), new Generation(11));

        assertThat(changes.newest().getLast())
                .isEqualTo(new LiveHost.Change(2, NOW, Aspect.GENERATION, "000000000000000A", "000000000000000B"));
    }

    @Test
    void newestAreRememberedAndAllAreCounted() {
        for (int each = 0; each <= LiveHost.CHANGES_REMEMBERED; each++) {
            changes.begun(Optional.empty(), new Generation(1));
        }

        assertThat(changes.newest()).hasSize(LiveHost.CHANGES_REMEMBERED);
        assertThat(changes.newest().getFirst().number()).isEqualTo(2);
        assertThat(changes.counts()).containsEntry(Aspect.GENERATION, LiveHost.CHANGES_REMEMBERED + 1L);
    }
}

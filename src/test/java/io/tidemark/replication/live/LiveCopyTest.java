package io.tidemark.replication.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.replication.live.DirtyBitmap.Run;
import io.tidemark.replication.live.LiveMessage.Hello;
import io.tidemark.replication.live.LiveStatus.DiskState;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.LiveStatus.Role;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** What the simulated worlds do not come to: large volumes, broken disks and peers, and waits that would end by chance. */
class LiveCopyTest extends DrivenCopy {

    @Test
    void runsOfGibibytesAreMarkedWhole() {
        becomesSource();

        peerSays(new LiveMessage.Dirty(List.of(new Run(0, 1 << 20)), true));

        assertThat(copy.status().dirtyBlocks()).isEqualTo(1 << 20);
    }

    @Test
    void whatIsOnItsWayToTheDiskIsDurableBeforeItIsResynced() {
        isPromoted();
        happens(write(2, 0));
        // The log and the generation; then the write is with the disk.
        while (disk.peekFirst() instanceof LiveEffect.Persist persist) {
            disk.removeFirst();
            happens(new LiveEvent.Persisted(persist.ticket()));
        }
        var writing = (LiveEffect.WriteVolume) disk.removeFirst();
        effects.clear();

        becomesSource();
        peerSays(new LiveMessage.Dirty(List.of(), true));
        diskEnds();
        assertThat(all(LiveEffect.ReadVolume.class)).isEmpty();

        happens(new LiveEvent.Written(writing.work()));
        assertThat(all(LiveEffect.ReadVolume.class)).isEmpty();
        diskEnds();
        assertThat(all(LiveEffect.ReadVolume.class)).hasSize(1);
        int flush = effects.indexOf(all(LiveEffect.FlushVolume.class).getLast());
        assertThat(flush)
                .isLessThan(effects.indexOf(all(LiveEffect.ReadVolume.class).getFirst()));
    }

    @Test
    void aDiskThatFailsWhileTheyMeetIsNotPromoted() {
        happens(new LiveEvent.Connected(SESSION));
        happens(new LiveEvent.Promote(7, Lease.NONE));

        happens(new LiveEvent.DiskFailed("input/output error"));

        assertThat(effects).contains(new LiveEffect.Refuse(7, "input/output error"));
        assertThat(all(LiveEffect.Answer.class)).isEmpty();
        assertThat(copy.status().disk()).isEqualTo(DiskState.FAILED);
        effects.clear();
        happens(write(8, 0));
        assertThat(effects).containsExactly(new LiveEffect.Refuse(8, "input/output error"));
    }

    @Test
    void aColdWriteWaitsForItsOwnExtentsBitsAlone() {
        isPromoted();
        for (int extent = 0; extent < 7; extent++) {
            happens(write(10 + extent, (long) extent * ActivityLog.EXTENT_BYTES));
            diskEnds();
        }
        effects.clear();

        happens(write(20, 7L * ActivityLog.EXTENT_BYTES));
        int persists = 0;
        while (all(LiveEffect.WriteVolume.class).isEmpty() && persists < 10) {
            var persist = (LiveEffect.Persist) disk.removeFirst();
            persists++;
            // Elsewhere another block becomes dirty each time.
            happens(write(30 + persists, 6L * ActivityLog.EXTENT_BYTES + persists * 8_192L));
            disk.removeIf(LiveEffect.WriteVolume.class::isInstance);
            effects.removeIf(each ->
                    each instanceof LiveEffect.WriteVolume other && other.offset() < 7L * ActivityLog.EXTENT_BYTES);
            happens(new LiveEvent.Persisted(persist.ticket()));
        }
        assertThat(persists).isLessThanOrEqualTo(2);
    }

    @Test
    void whatArrivedIsWrittenToItsEndThoughNobodyAsks() {
        copy = copy(5 * GIB, Protocol.A, OLD, UnaryOperator.identity());
        happens(new LiveEvent.Connected(SESSION));
        peerSays(new Hello(
                B,
                5 * GIB,
                Protocol.A,
                new Generations(Optional.of(OLD), Map.of(), List.of()),
                Role.PRIMARY,
                false,
                true,
                false));
        for (int number = 1; number < 9; number += 2) {
            peerSays(new LiveMessage.Write(number, number * 4_096L, 4_096, DATA));
            peerSays(new LiveMessage.Barrier(number + 1L));
        }
        happens(new LiveEvent.Lost(SESSION));

        diskEnds();

        assertThat(all(LiveEffect.WriteVolume.class)).hasSize(4);
    }

    @Test
    void aPeerThatSaysNothingDoesNotHoldWritesForEver() {
        isPromoted();
        happens(new LiveEvent.Connected(SESSION));
        happens(write(2, 0));
        diskEnds();
        assertThat(all(LiveEffect.WriteVolume.class)).isEmpty();

        now += 1_001;
        happens(new LiveEvent.Tick());
        diskEnds();

        assertThat(all(LiveEffect.Disconnect.class)).hasSize(1);
        assertThat(effects).contains(new LiveEffect.Answer(2));
    }

    @Test
    void aResyncThatNeverBeganLeavesTheCopyConsistent() {
        copy = copy(5 * GIB, Protocol.C, OLD, UnaryOperator.identity());
        happens(new LiveEvent.Connected(SESSION));
        peerSays(hello(NEW, Map.of(A, List.of(OLD)), 5 * GIB));
        // However long it takes to be kept, the peer's clients do not wait for it.
        assertThat(all(LiveEffect.Disconnect.class)).hasSize(1);
        assertThat(all(LiveEffect.KeepVolume.class)).hasSize(1);
        happens(new LiveEvent.Connected(SESSION));
        assertThat(all(LiveEffect.Disconnect.class)).hasSize(2);
        diskEnds();

        assertThat(copy.status().disk()).isEqualTo(DiskState.CONSISTENT);
        isPromoted();
    }

    @Test
    void aCopyThatWasKeptIsOverwrittenAtTheNextMeeting() {
        copy = copy(5 * GIB, Protocol.C, OLD, UnaryOperator.identity());
        happens(new LiveEvent.Connected(SESSION));
        peerSays(hello(NEW, Map.of(A, List.of(OLD)), 5 * GIB));
        diskEnds();
        assertThat(copy.status().disk()).isEqualTo(DiskState.CONSISTENT);

        happens(new LiveEvent.Connected(SESSION));
        peerSays(hello(NEW, Map.of(A, List.of(OLD)), 5 * GIB));
        peerSays(new LiveMessage.Block(1, 0, 4_096, DATA));
        assertThat(all(LiveEffect.WriteVolume.class)).isEmpty();
        diskEnds();

        assertThat(all(LiveEffect.KeepVolume.class)).hasSize(1);
        assertThat(copy.status().disk()).isEqualTo(DiskState.INCONSISTENT);
        assertThat(all(LiveEffect.WriteVolume.class)).hasSize(1);
    }

    @Test
    void aWriteOfNothingIsAnswered() {
        isPromoted();

        happens(new LiveEvent.Write(2, 0, 0, DATA, true));

        assertThat(effects).containsExactly(new LiveEffect.Answer(2));
    }

    @Test
    void aRunThatIsAlwaysWrittenIsResyncedAllTheSame() {
        copy = copy(5 * GIB, Protocol.C, NEW, each -> new Superblock(each.generations(), true, false, true));
        isPromoted();
        happens(write(2, 0));
        diskEnds();
        becomesSource();
        peerSays(new LiveMessage.Dirty(List.of(), true));
        happens(write(3, 0));
        effects.clear();
        for (int request = 4; request < 24 && all(LiveEffect.ReadVolume.class).isEmpty(); request++) {
            // The next one is there before the last one ends.
            happens(write(request, 0));
            var next = disk.removeFirst();
            happens(
                    switch (next) {
                        case LiveEffect.WriteVolume written -> new LiveEvent.Written(written.work());
                        case LiveEffect.FlushVolume flush -> new LiveEvent.Flushed(flush.work());
                        case LiveEffect.Persist persist -> new LiveEvent.Persisted(persist.ticket());
                        default -> throw new IllegalStateException();
                    });
        }
        assertThat(all(LiveEffect.ReadVolume.class)).hasSize(1);
    }

    @Test
    void aPrimaryIsNotWrittenByItsPeer() {
        copy = copy(5 * GIB, Protocol.C, OLD, UnaryOperator.identity());
        happens(new LiveEvent.Connected(SESSION));
        peerSays(hello(OLD, Map.of(), 5 * GIB));
        isPromoted();

        peerSays(new LiveMessage.Write(1, 0, 4_096, DATA));

        assertThat(all(LiveEffect.WriteVolume.class)).isEmpty();
        assertThat(all(LiveEffect.Disconnect.class).getFirst().why())
                .isEqualTo("the peer writes, and this copy is PRIMARY, ESTABLISHED");
    }

    @Test
    void whatLiesOutsideOfTheVolumeEndsTheSession() {
        becomesSource();

        peerSays(new LiveMessage.Dirty(List.of(new Run((5L << 18) - 1, 2)), true));

        assertThat(all(LiveEffect.Disconnect.class).getFirst().why())
                .isEqualTo("the peer's dirty bits lie outside of the volume");
    }

    @Test
    void aDiskThatWasReplacedIsNoVolume() {
        copy = new LiveCopy(
                new LiveSettings(A, B, GIB, Protocol.C, Congestion.BLOCK, 1 << 20, 7, 16, 2, 1_000, false),
                LiveStart.none(GIB),
                () -> NEW);

        happens(new LiveEvent.Promote(1, Lease.NONE));

        assertThat(all(LiveEffect.Refuse.class).getFirst().why())
                .isEqualTo("this copy has no content yet: let it meet its peer first");
    }

    @Test
    void aForcedDemotionRefusesTheReadThatIsUnderWay() {
        isPromoted();
        happens(new LiveEvent.Read(2, 0, 4_096));
        happens(new LiveEvent.Demote(3, true));

        happens(new LiveEvent.ReadDone(
                all(LiveEffect.ReadVolume.class).getFirst().work(), DATA));
        diskEnds();

        assertThat(all(LiveEffect.Refuse.class)).hasSize(1);
        assertThat(effects).contains(new LiveEffect.Answer(3));
    }

    @Test
    void whatIsGivenUpIsKeptFirstAndMetAgainAsNothing() {
        isSecondaryBeside(Role.PRIMARY);

        happens(new LiveEvent.Invalidate(2, false));
        assertThat(all(LiveEffect.Disconnect.class)).hasSize(1);
        assertThat(all(LiveEffect.KeepVolume.class)).hasSize(1);
        // The peer's clients do not wait for that.
        happens(new LiveEvent.Connected(SESSION + 1));
        assertThat(all(LiveEffect.Disconnect.class)).hasSize(2);
        assertThat(all(LiveEffect.Answer.class)).isEmpty();
        diskEnds();
        assertThat(all(LiveEffect.Answer.class)).isEmpty();
        happens(new LiveEvent.Connected(SESSION));
        peerSays(new LiveMessage.Hello(
                B,
                GIB,
                Protocol.C,
                new Generations(Optional.of(OLD), Map.of(), List.of()),
                Role.PRIMARY,
                false,
                true,
                false));
        diskEnds();

        assertThat(effects).contains(new LiveEffect.Answer(2));
        assertThat(all(LiveEffect.Disconnect.class)).hasSize(3);
        assertThat(copy.status().disk()).isEqualTo(DiskState.INCONSISTENT);
        assertThat(copy.status().dirtyBlocks()).isEqualTo(GIB / 4_096);
        assertThat(copy.generations()).isEqualTo(Generations.none());
    }

    @Test
    void aPrimarysContentIsNotGivenUpNorThatOfOneWithoutAPrimary() {
        isPromoted();
        happens(new LiveEvent.Invalidate(2, false));
        assertThat(all(LiveEffect.Refuse.class).getLast().why())
                .isEqualTo("a primary's content is not given up: demote this copy and promote its peer first");

        isSecondaryBeside(Role.SECONDARY);
        happens(new LiveEvent.Invalidate(3, false));
        peerSays(new LiveMessage.Ask(LiveMessage.Ask.What.INVALIDATE));
        assertThat(all(LiveEffect.Refuse.class).getLast().why())
                .isEqualTo("the peer is not there as a primary that is up to date (this copy is ESTABLISHED): "
                        + "connect and promote it first");
        assertThat(all(LiveEffect.KeepVolume.class)).isEmpty();
    }

    @Test
    void aPeerThatIsLostWhileTheVolumeIsKeptLeavesTheContentAsItWas() {
        isSecondaryBeside(Role.PRIMARY);
        happens(new LiveEvent.Invalidate(2, false));
        diskEnds();

        assertThat(copy.status().disk()).isEqualTo(DiskState.CONSISTENT);
        happens(new LiveEvent.Promote(3, Lease.NONE));
        diskEnds();
        assertThat(effects)
                .contains(
                        new LiveEffect.Answer(3),
                        new LiveEffect.Refuse(2, "this copy was promoted before its content was given up"));
    }

    /** A line that flaps: it was granted once the meeting had ended, without a peer. */
    @Test
    void aPromotionThatIsNotForcedIsNotGrantedWithoutThePeer() {
        happens(new LiveEvent.Connected(SESSION));
        happens(new LiveEvent.Promote(7, Lease.NONE, false));
        assertThat(all(LiveEffect.Refuse.class)).isEmpty();

        happens(new LiveEvent.Lost(SESSION));
        diskEnds();

        assertThat(all(LiveEffect.Refuse.class).getLast().why()).contains("promote by force");
        assertThat(copy.status().role()).isEqualTo(Role.SECONDARY);
    }

    /** Under A what was answered and is on its way counted: the 4,097th was refused, and its client heard of an I/O error. */
    @Test
    void writesThatArePastTheSendBufferWaitAndAreNotRefused() {
        copy = copy(GIB, Protocol.A, OLD, UnaryOperator.identity());
        happens(new LiveEvent.Connected(SESSION));
        peerSays(hello(OLD, Map.of(), GIB));
        diskEnds();
        happens(new LiveEvent.Promote(1, Lease.NONE));
        diskEnds();
        for (int count = 0; count < LiveSettings.REQUESTS_MAXIMUM + 200; count++) {
            happens(write(10 + count, 4_096L * (count % 512)));
            diskEnds();
        }

        assertThat(all(LiveEffect.Refuse.class)).isEmpty();
    }

    /** It was a split brain where it had died as primary, and the promoted one dies too before it has ended. */
    @Test
    void aCopyThatAResyncHasTornIsNoCrashedPrimaryAnyMore() {
        copy = copy(GIB, Protocol.C, OLD, each -> new Superblock(each.generations(), false, false, true));
        happens(new LiveEvent.Connected(SESSION));
        peerSays(new LiveMessage.Hello(
                B,
                GIB,
                Protocol.C,
                new Generations(Optional.of(OLD), Map.of(), List.of()),
                Role.SECONDARY,
                true,
                true,
                false));
        diskEnds();

        assertThat(copy.status().replication()).isEqualTo(ReplicationState.SYNC_TARGET);
    }

    @Test
    void runsPastTheEndOfAllNumbersAreRefused() {
        becomesSource();

        peerSays(new LiveMessage.Dirty(List.of(new Run(Long.MAX_VALUE, 1)), true));

        assertThat(all(LiveEffect.Disconnect.class)).hasSize(1);
    }

    @Test
    void aPeerThatIsPrimaryNoMoreIsToldOfByWhoWaitsToGiveUp() {
        isSecondaryBeside(Role.PRIMARY);
        happens(new LiveEvent.Invalidate(2, false));
        diskEnds();

        happens(new LiveEvent.Connected(SESSION));
        peerSays(hello(OLD, Map.of(), GIB));
        diskEnds();

        assertThat(all(LiveEffect.Refuse.class).getLast().why()).contains("not primary any more");
        assertThat(copy.status().disk()).isEqualTo(DiskState.UP_TO_DATE);
    }

    /** It meets its peer again in between, as the one that has the content, and was refused for that. */
    @Test
    void theFirstPromotionOfTwoThatWereJustMadeNeedsNoForce() {
        copy = new LiveCopy(
                new LiveSettings(A, B, GIB, Protocol.C, Congestion.BLOCK, 1 << 20, 7, 16, 2, 1_000, false),
                LiveStart.none(GIB),
                () -> new Generation(++fresh));
        happens(new LiveEvent.Connected(SESSION));
        var nothing = new LiveMessage.Hello(B, GIB, Protocol.C, Generations.none(), Role.SECONDARY, false, true, false);
        peerSays(nothing);
        diskEnds();

        happens(new LiveEvent.Promote(7, Lease.NONE, false));
        diskEnds();
        peerSays(nothing);
        diskEnds();

        assertThat(all(LiveEffect.Refuse.class)).isEmpty();
        assertThat(effects).contains(new LiveEffect.Answer(7));
    }

    /** Behind a barrier it had to wait; nothing new can come, for the session has ended. */
    @Test
    void whatHasArrivedIsWrittenBeforeTheVolumeIsKept() {
        isSecondaryBeside(Role.PRIMARY);
        peerSays(new LiveMessage.Write(1, 0, 4_096, DATA));
        peerSays(new LiveMessage.Barrier(2));
        peerSays(new LiveMessage.Write(3, 0, 4_096, DATA));

        happens(new LiveEvent.Invalidate(5, false));
        diskEnds();

        assertThat(all(LiveEffect.WriteVolume.class)).hasSize(2);
        assertThat(all(LiveEffect.KeepVolume.class)).hasSize(1);
        int kept = effects.indexOf(all(LiveEffect.KeepVolume.class).getFirst());
        assertThat(kept)
                .isGreaterThan(effects.indexOf(all(LiveEffect.WriteVolume.class).getLast()));
    }
}

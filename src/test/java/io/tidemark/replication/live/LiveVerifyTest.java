package io.tidemark.replication.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.replication.live.DirtyBitmap.Run;
import io.tidemark.replication.live.LiveMessage.Compare;
import io.tidemark.replication.live.LiveMessage.Differing;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.LiveStatus.Role;
import io.tidemark.replication.live.LiveStatus.VerifyState;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** A verify by one copy, and what follows from it when the two meet again. */
class LiveVerifyTest extends DrivenCopy {
    private static final int WINDOW_BYTES = 16 * 4_096;

    private void isPrimary() {
        isSecondaryBeside(Role.SECONDARY);
        isPromoted();
    }

    private List<Compare> compared() {
        return all(LiveEffect.Send.class).stream()
                .map(LiveEffect.Send::message)
                .filter(Compare.class::isInstance)
                .map(Compare.class::cast)
                .toList();
    }

    private LiveStatus.Verify progress() {
        return copy.status().verify().orElseThrow();
    }

    @Test
    void aFewWindowsAreUnderWayAtOnce() {
        isPrimary();

        happens(new LiveEvent.Verify(5));
        diskEnds();

        assertThat(effects).contains(new LiveEffect.Answer(5));
        assertThat(compared()).extracting(Compare::offset).containsExactly(0L, (long) WINDOW_BYTES);
    }

    @Test
    void aWriteWaitsWhileItsPlaceIsRead() {
        isPrimary();
        happens(write(6, 3 * GIB / 4));
        diskEnds();
        happens(new LiveEvent.Verify(5));
        effects.clear();

        happens(write(7, 4_096));
        while (disk.peekLast() instanceof LiveEffect.Persist persist) {
            disk.removeLast();
            happens(new LiveEvent.Persisted(persist.ticket()));
        }
        assertThat(all(LiveEffect.WriteVolume.class)).isEmpty();

        diskEnds();
        assertThat(all(LiveEffect.WriteVolume.class)).hasSize(1);
        int asked = effects.indexOf(effects.stream()
                .filter(each -> each instanceof LiveEffect.Send send && send.message() instanceof Compare)
                .findFirst()
                .orElseThrow());
        assertThat(asked)
                .isLessThan(effects.indexOf(all(LiveEffect.WriteVolume.class).getFirst()));
    }

    @Test
    void whatDiffersIsDirtyAndTheMeetingAfterCopiesIt() {
        isPrimary();
        happens(new LiveEvent.Verify(5));
        diskEnds();

        peerSays(new Differing(compared().getFirst().number(), List.of(new Run(3, 2))));
        diskEnds();
        assertThat(copy.status().dirtyBlocks()).isEqualTo(2);
        assertThat(progress()).isEqualTo(new LiveStatus.Verify(16, 2, VerifyState.RUNNING));

        happens(new LiveEvent.Lost(SESSION));
        diskEnds();
        assertThat(progress().state()).isEqualTo(VerifyState.CUT_OFF);
        happens(new LiveEvent.Connected(SESSION));
        peerSays(hello(OLD, Map.of(), GIB));
        assertThat(copy.status().replication()).isEqualTo(ReplicationState.SYNC_SOURCE);
        assertThat(copy.status().dirtyBlocks()).isEqualTo(2);
    }

    @Test
    void theEndOfTheVolumeIsTheEndOfTheVerify() {
        isPrimary();
        happens(new LiveEvent.Verify(5));
        diskEnds();
        while (!compared().isEmpty()) {
            var asked = compared();
            effects.clear();
            asked.forEach(each -> peerSays(new Differing(each.number(), List.of())));
            diskEnds();
        }

        assertThat(progress()).isEqualTo(new LiveStatus.Verify(GIB / 4_096, 0, VerifyState.ENDED));
        assertThat(copy.status().dirtyBlocks()).isZero();
    }

    /** Some digests are with the peer, and some are being read. */
    @Test
    void oneThatIsStoppedComparesNoMoreAndKeepsWhatItFound() {
        isPrimary();
        happens(new LiveEvent.Verify(5));
        diskEnds();
        var asked = compared();
        peerSays(new Differing(asked.getFirst().number(), List.of(new Run(3, 2))));
        var reading = all(LiveEffect.ReadDigests.class).getLast();
        effects.clear();

        happens(new LiveEvent.StopVerify(6));
        assertThat(effects).contains(new LiveEffect.Answer(6));
        disk.clear();
        happens(new LiveEvent.DigestsRead(reading.work(), new NumberedDigests(1, WINDOW_BYTES)));
        peerSays(new Differing(asked.getLast().number(), List.of()));

        assertThat(progress()).isEqualTo(new LiveStatus.Verify(16, 2, VerifyState.STOPPED));
        assertThat(compared()).isEmpty();
        assertThat(all(LiveEffect.Disconnect.class)).isEmpty();
        assertThat(copy.status().replication()).isEqualTo(ReplicationState.ESTABLISHED);
        assertThat(copy.status().dirtyBlocks()).isEqualTo(2);
        happens(new LiveEvent.Verify(7));
        assertThat(progress()).isEqualTo(new LiveStatus.Verify(0, 0, VerifyState.RUNNING));
    }

    @Test
    void aWriteThatWaitedForAVerifyGoesOnWhenThatIsStopped() {
        isPrimary();
        happens(write(6, 3 * GIB / 4));
        diskEnds();
        happens(new LiveEvent.Verify(5));
        happens(write(7, 4_096));
        while (disk.peekLast() instanceof LiveEffect.Persist persist) {
            disk.removeLast();
            happens(new LiveEvent.Persisted(persist.ticket()));
        }
        effects.clear();

        happens(new LiveEvent.StopVerify(8));

        assertThat(all(LiveEffect.WriteVolume.class)).hasSize(1);
    }

    @Test
    void aStopIsRefusedWhereThisSideDrivesNone() {
        isPrimary();
        happens(new LiveEvent.StopVerify(7));
        assertThat(effects).contains(new LiveEffect.Refuse(7, "this side drives no verify now"));

        isSecondaryBeside(Role.PRIMARY);
        happens(new LiveEvent.Verify(5));
        happens(new LiveEvent.StopVerify(6));

        assertThat(effects)
                .contains(
                        new LiveEffect.Refuse(
                                6,
                                "this side drives no verify now; the peer is primary, and drives what there may be: stop it there"));
    }

    @Test
    void aSecondaryComparesInOrderWithWrites() {
        isSecondaryBeside(Role.PRIMARY);

        peerSays(new LiveMessage.Write(1, 0, 4_096, DATA));
        peerSays(new Compare(2, 0, WINDOW_BYTES, new NumberedDigests(2, WINDOW_BYTES)));
        assertThat(all(LiveEffect.ReadDigests.class)).isEmpty();
        happens(new LiveEvent.Written(
                all(LiveEffect.WriteVolume.class).getFirst().work()));
        assertThat(all(LiveEffect.ReadDigests.class)).hasSize(1);
        peerSays(new LiveMessage.Write(3, 4_096, 4_096, DATA));
        assertThat(all(LiveEffect.WriteVolume.class)).hasSize(1);

        happens(new LiveEvent.DigestsRead(
                all(LiveEffect.ReadDigests.class).getFirst().work(), new NumberedDigests(1, WINDOW_BYTES)));
        assertThat(effects).contains(new LiveEffect.Send(SESSION, new Differing(2, List.of(new Run(0, 16)))));
        assertThat(all(LiveEffect.WriteVolume.class)).hasSize(2);
        assertThat(copy.status().dirtyBlocks()).isEqualTo(16);
    }

    @Test
    void whatTheSecondaryWasToldTheNextMeetingRepairsFromThePrimary() {
        isSecondaryBeside(Role.SECONDARY);
        happens(new LiveEvent.Lost(SESSION));
        happens(new LiveEvent.Connected(SESSION));

        peerSays(new LiveMessage.OutOfSync());
        peerSays(new LiveMessage.Hello(
                B,
                GIB,
                Protocol.C,
                new Generations(Optional.of(OLD), Map.of(), List.of()),
                Role.PRIMARY,
                false,
                true,
                false));

        // It is met again once it is kept.
        assertThat(all(LiveEffect.KeepVolume.class)).hasSize(1);
    }

    @Test
    void oneThatARepairLeftTornIsCopiedInFullWhereNobodyKnowsWhere() {
        copy = copy(GIB, Protocol.C, OLD, each -> new Superblock(each.generations(), false, false, false));
        happens(new LiveEvent.Connected(SESSION));
        peerSays(hello(OLD, Map.of(), GIB));
        diskEnds();

        assertThat(copy.status().replication()).isEqualTo(ReplicationState.SYNC_TARGET);
        assertThat(copy.generations()).isEqualTo(Generations.none());
    }

    @Test
    void aVerifyIsRefusedWhereTheTwoAreNotInStep() {
        copy = copy(GIB, Protocol.C, OLD, UnaryOperator.identity());

        happens(new LiveEvent.Verify(5));

        assertThat(effects)
                .contains(new LiveEffect.Refuse(
                        5, "only copies that are in step are compared, and this one is OFF: connect it first"));
    }

    @Test
    void aPeerThatTellsOfOtherBlocksIsNotBelieved() {
        isPrimary();
        happens(new LiveEvent.Verify(5));
        diskEnds();

        peerSays(new Differing(compared().getFirst().number(), List.of(new Run(16, 1))));

        assertThat(all(LiveEffect.Disconnect.class)).hasSize(1);
        assertThat(copy.status().dirtyBlocks()).isZero();
    }

    @Test
    void whatWasFoundIsDurableBeforeTheTwoMeetAgain() {
        isPrimary();
        happens(new LiveEvent.Verify(5));
        diskEnds();
        peerSays(new Differing(compared().getFirst().number(), List.of(new Run(3, 2))));
        assertThat(all(LiveEffect.Persist.class).getLast().pages()).containsKey(0);
        effects.clear();

        happens(new LiveEvent.Lost(SESSION));
        happens(new LiveEvent.Connected(SESSION));
        assertThat(all(LiveEffect.Send.class)).isEmpty();

        diskEnds();
        assertThat(all(LiveEffect.Send.class))
                .extracting(LiveEffect.Send::message)
                .hasExactlyElementsOfTypes(LiveMessage.OutOfSync.class, LiveMessage.Hello.class);
    }

    @Test
    void oneThatIsPromotedComparesNoMore() {
        isSecondaryBeside(Role.SECONDARY);
        peerSays(new Compare(1, 0, WINDOW_BYTES, new NumberedDigests(2, WINDOW_BYTES)));
        var reading = all(LiveEffect.ReadDigests.class).getFirst();
        disk.clear();
        isPromoted();

        happens(new LiveEvent.DigestsRead(reading.work(), new NumberedDigests(1, WINDOW_BYTES)));
        peerSays(new Compare(2, 0, WINDOW_BYTES, new NumberedDigests(2, WINDOW_BYTES)));

        assertThat(effects).isEmpty();
        assertThat(copy.status().dirtyBlocks()).isZero();
    }
}

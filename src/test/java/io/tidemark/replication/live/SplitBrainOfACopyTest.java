package io.tidemark.replication.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.replication.live.AfterSplitBrain.NoPrimary;
import io.tidemark.replication.live.AfterSplitBrain.OnePrimary;
import io.tidemark.replication.live.LiveMessage.Apart;
import io.tidemark.replication.live.LiveMessage.Hello;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.LiveStatus.Role;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** A copy that was written without its peer, which was written without it. */
class SplitBrainOfACopyTest extends DrivenCopy {
    private static final Generation PEERS = new Generation(77);
    private static final AfterSplitBrain LEAST =
            new AfterSplitBrain(NoPrimary.DISCARD_LEAST_CHANGES, OnePrimary.DISCONNECT);

    private Hello peer(Apart apart) {
        return new Hello(
                B,
                GIB,
                Protocol.C,
                new Generations(Optional.of(PEERS), Map.of(A, List.of(OLD)), List.of(OLD)),
                Role.SECONDARY,
                false,
                true,
                false,
                apart);
    }

    /** In step once, then written alone: this many blocks, from the second on, and every other one. */
    private void isWrittenAlone(AfterSplitBrain policy, int blocks) {
        afterSplitBrain = policy;
        copy = copy(GIB, Protocol.C, OLD, UnaryOperator.identity());
        isPromoted();
        for (int block = 0; block < blocks; block++) {
            happens(write(10 + block, 4_096 + block * 8_192L));
            diskEnds();
        }
        happens(new LiveEvent.Demote(2, false));
        diskEnds();
        assertThat(copy.status().dirtyBlocks()).isEqualTo(blocks);
        effects.clear();
    }

    private Hello said() {
        return all(LiveEffect.Send.class).stream()
                .map(LiveEffect.Send::message)
                .filter(Hello.class::isInstance)
                .map(Hello.class::cast)
                .toList()
                .getLast();
    }

    private void meets(Apart peers) {
        happens(new LiveEvent.Connected(SESSION));
        peerSays(peer(peers));
    }

    @Test
    void saysWhatItHasAloneAndSinceWhen() {
        wall = 5_000_000;
        isWrittenAlone(LEAST, 3);
        happens(new LiveEvent.Connected(SESSION));

        assertThat(said().apart()).isEqualTo(new Apart(3, 5_000_000, LEAST));
    }

    @Test
    void isAloneSinceTheFirstGenerationThatThePeerLacks() {
        var inStep = new Superblock(new Generations(Optional.of(OLD), Map.of(), List.of()), true, false, false);

        var first = inStep.apart(inStep.generations().written(Set.of(B), new Generation(1)), B, false, 5);
        var second = first.apart(first.generations().written(Set.of(B), new Generation(2)), B, false, 9);
        var met = second.with(second.generations().inStepWith(B));
        var third = met.apart(met.generations().written(Set.of(B), new Generation(3)), B, false, 12);
        var brought = second.apart(second.generations().written(Set.of(B), new Generation(4)), B, true, 13);

        assertThat(first.apartSince()).isEqualTo(5);
        assertThat(second.apartSince()).isEqualTo(5);
        assertThat(third.apartSince()).isEqualTo(12);
        assertThat(brought.apartSince()).isEqualTo(13);
    }

    private void isWrittenAt(long time) {
        wall = time;
        happens(write(20, 0));
        diskEnds();
    }

    private long saidSince() {
        happens(new LiveEvent.Connected(SESSION));
        diskEnds();
        return said().apart().since();
    }

    /** All was sent, and the line fails before the peer says that it has it all. */
    private void sendsTheEndOfAResync() {
        afterSplitBrain = LEAST;
        copy = copy(GIB, Protocol.C, OLD, UnaryOperator.identity());
        isPromoted();
        isWrittenAt(5_000_000);
        happens(new LiveEvent.Connected(SESSION));
        diskEnds();
        peerSays(hello(OLD, Map.of(), GIB));
        peerSays(new LiveMessage.Dirty(List.of(), true));
        diskEnds();
        reads.forEach(read -> happens(new LiveEvent.ReadDone(read.work(), DATA)));
        reads.clear();
        peerSays(new LiveMessage.Durable(1));
        assertThat(all(LiveEffect.Send.class)).anyMatch(send -> send.message() instanceof LiveMessage.Finished);
        diskEnds();
        happens(new LiveEvent.Lost(SESSION));
    }

    /** It had missed that the peer came to the end of a resync, and finds it at its own generation. */
    @Test
    void isNotAloneSinceAnOutageThatIsLongOver() {
        sendsTheEndOfAResync();
        happens(new LiveEvent.Connected(SESSION));
        diskEnds();
        peerSays(hello(copy.generations().current().orElseThrow(), Map.of(), GIB));
        assertThat(copy.status().replication()).isEqualTo(ReplicationState.ESTABLISHED);
        diskEnds();
        happens(new LiveEvent.Lost(SESSION));

        isWrittenAt(900_000_000);

        assertThat(saidSince()).isEqualTo(900_000_000);
        assertThat(copy.generations().basesOf(B)).hasSize(1);
    }

    @Test
    void isAloneSinceThePeerMayHaveComeToTheEndOfAResync() {
        sendsTheEndOfAResync();

        isWrittenAt(900_000_000);

        assertThat(saidSince()).isEqualTo(900_000_000);
        assertThat(copy.generations().basesOf(B)).hasSize(2);
    }

    /** A new process does not know that the end was sent. */
    @Test
    void whoMayHaveBroughtThePeerUpBeforeARestartDoesNotKnowSinceWhen() {
        sendsTheEndOfAResync();

        var kept = all(LiveEffect.Persist.class).getLast().superblock().orElseThrow();

        assertThat(kept.apartSince()).isZero();
    }

    @Test
    void withFewerChangesItIsKeptForGoodAndYields() {
        isWrittenAlone(LEAST, 2);

        meets(new Apart(3, 0, LEAST));

        assertThat(all(LiveEffect.KeepVolume.class)).hasSize(1);
        assertThat(all(LiveEffect.KeepVolume.class).getFirst().isGivenUp()).isTrue();
        assertThat(copy.status().isSplitBrain()).isTrue();
        assertThat(copy.status().why()).isEmpty();
        diskEnds();
        happens(new LiveEvent.Promote(3, Lease.NONE));
        assertThat(all(LiveEffect.Refuse.class).getLast().why()).contains("told to yield");
        meets(new Apart(3, 0, LEAST));
        assertThat(said().yields()).isTrue();
        assertThat(copy.status().replication()).isEqualTo(ReplicationState.SYNC_TARGET);
        assertThat(all(LiveEffect.KeepVolume.class)).hasSize(1);
    }

    @Test
    void withMoreChangesItIsSource() {
        isWrittenAlone(LEAST, 2);

        meets(new Apart(1, 0, LEAST));

        assertThat(copy.status().replication()).isEqualTo(ReplicationState.SYNC_SOURCE);
        assertThat(all(LiveEffect.KeepVolume.class)).isEmpty();
    }

    @Test
    void withAsManyItStandsAloneAndTellsWhatBothHave() {
        isWrittenAlone(LEAST, 2);

        meets(new Apart(2, 7, LEAST));

        assertThat(copy.status().replication()).isEqualTo(ReplicationState.STAND_ALONE);
        assertThat(copy.status().why())
                .hasValueSatisfying(why -> assertThat(why).endsWith("both have changed 2 blocks"));
        assertThat(copy.status().isSplitBrain()).isTrue();
        var apart = copy.figures().apart().orElseThrow();
        assertThat(apart.self()).isEqualTo(said());
        assertThat(apart.peer().apart()).isEqualTo(new Apart(2, 7, LEAST));
        assertThat(apart.here()).containsExactly(new DirtyBitmap.Run(1, 1), new DirtyBitmap.Run(3, 1));
        happens(new LiveEvent.Resolve(9, true));
        assertThat(copy.figures().apart()).isEmpty();
        assertThat(copy.status().isSplitBrain()).isFalse();
    }

    /** All of an extent is dirty for it was hot, and one block of it was changed. */
    @Test
    void afterARestartNobodyKnowsHowMuchItHasChanged() {
        afterSplitBrain = LEAST;
        copy = copy(GIB, Protocol.C, OLD, UnaryOperator.identity(), Set.of(0));
        isPromoted();
        happens(write(10, 0));
        diskEnds();
        happens(new LiveEvent.Demote(2, false));
        diskEnds();

        meets(new Apart(500, 0, LEAST));

        assertThat(said().apart().dirtyBlocks()).isEqualTo(1_024);
        assertThat(copy.status().replication()).isEqualTo(ReplicationState.STAND_ALONE);
        assertThat(copy.status().why())
                .hasValueSatisfying(why -> assertThat(why).contains("not known since its restart"));
    }

    @Test
    void onceInStepAgainItsChangesAreCounted() {
        afterSplitBrain = LEAST;
        copy = copy(GIB, Protocol.C, OLD, UnaryOperator.identity(), Set.of(0));
        happens(new LiveEvent.Connected(SESSION));
        diskEnds();
        assertThat(said().apart().isCounted()).isFalse();
        peerSays(hello(OLD, Map.of(), GIB));
        assertThat(copy.status().replication()).isEqualTo(ReplicationState.ESTABLISHED);
        happens(new LiveEvent.Lost(SESSION));
        diskEnds();

        happens(new LiveEvent.Connected(SESSION));

        assertThat(said().apart().isCounted()).isTrue();
    }

    @Test
    void whatAVerifyHasFoundWasNotChangedHere() {
        isSecondaryBeside(Role.PRIMARY);
        peerSays(new LiveMessage.Compare(1, 0, 4_096, new NumberedDigests(content + 1, 4_096)));
        diskEnds();
        assertThat(copy.status().dirtyBlocks()).isEqualTo(1);
        happens(new LiveEvent.Lost(SESSION));
        diskEnds();

        happens(new LiveEvent.Connected(SESSION));

        assertThat(said().apart().isCounted()).isFalse();
    }

    @Test
    void whatAPersonHasSaidStaysIsGivenUpByNoPolicy() {
        isWrittenAlone(LEAST, 2);
        meets(new Apart(3, 0, LEAST));
        diskEnds();

        // It was about to yield, and the peer is away.
        happens(new LiveEvent.Resolve(9, true));
        assertThat(all(LiveEffect.Answer.class)).hasSize(1);
        meets(new Apart(3, 0, LEAST));

        assertThat(said().yields()).isFalse();
        assertThat(said().apart().policy()).isEqualTo(AfterSplitBrain.DISCONNECT);
        assertThat(copy.status().replication()).isEqualTo(ReplicationState.STAND_ALONE);
    }

    /** Its storage is full: it is never kept. */
    @Test
    void whatStaysNeedNotBeKeptFirst() {
        isWrittenAlone(LEAST, 2);
        meets(new Apart(3, 0, LEAST));
        var keep = all(LiveEffect.KeepVolume.class).getFirst();

        happens(new LiveEvent.Resolve(9, true));
        happens(new LiveEvent.Promote(10, Lease.NONE));

        assertThat(all(LiveEffect.Answer.class)).containsExactly(new LiveEffect.Answer(9), new LiveEffect.Answer(10));
        happens(new LiveEvent.Kept(keep.work()));
        happens(new LiveEvent.Demote(11, false));
        diskEnds();
        happens(new LiveEvent.Connected(SESSION));
        assertThat(copy.status().replication()).isEqualTo(ReplicationState.MEETING);
    }

    /** A new process of the copy that was written alone, which was told what a person had chosen. */
    private void startsAgain(Chosen said) {
        afterSplitBrain = LEAST;
        chosen = said;
        copy = copy(GIB, Protocol.C, NEW, UnaryOperator.identity());
        effects.clear();
        disk.clear();
    }

    @Test
    void whatAPersonHasSaidStaysIsGivenUpByNoPolicyAfterARestart() {
        isWrittenAlone(LEAST, 2);
        meets(new Apart(3, 0, LEAST));
        diskEnds();
        happens(new LiveEvent.Resolve(9, true));

        startsAgain(Chosen.SELF);
        meets(new Apart(3, 0, LEAST));

        assertThat(said().apart().policy()).isEqualTo(AfterSplitBrain.DISCONNECT);
        assertThat(copy.status().replication()).isEqualTo(ReplicationState.STAND_ALONE);
        assertThat(all(LiveEffect.KeepVolume.class)).isEmpty();
    }

    @Test
    void whoWasToldToYieldDoesSoAfterARestart() {
        startsAgain(Chosen.PEER);
        happens(new LiveEvent.Promote(3, Lease.NONE));
        assertThat(all(LiveEffect.Refuse.class).getLast().why()).contains("told to yield");

        meets(new Apart(0, 0, AfterSplitBrain.DISCONNECT));

        assertThat(said().yields()).isTrue();
        assertThat(all(LiveEffect.KeepVolume.class).getFirst().isGivenUp()).isTrue();
    }

    @Test
    void whatWasChosenBeforeARestartIsOverOnceInStep() {
        startsAgain(Chosen.SELF);
        happens(new LiveEvent.Connected(SESSION));
        peerSays(hello(NEW, Map.of(), GIB));
        assertThat(copy.status().replication()).isEqualTo(ReplicationState.ESTABLISHED);
        happens(new LiveEvent.Lost(SESSION));
        diskEnds();

        happens(new LiveEvent.Connected(SESSION));

        assertThat(said().apart().policy()).isEqualTo(LEAST);
    }

    @Test
    void besideAPrimaryItYieldsWhereThatWasSaid() {
        var policy = new AfterSplitBrain(NoPrimary.DISCONNECT, OnePrimary.DISCARD_SECONDARY);
        isWrittenAlone(policy, 2);
        var peer = peer(new Apart(1, 0, policy));

        happens(new LiveEvent.Connected(SESSION));
        peerSays(new Hello(B, GIB, Protocol.C, peer.generations(), Role.PRIMARY, false, true, false, peer.apart()));

        assertThat(all(LiveEffect.KeepVolume.class)).hasSize(1);
    }

    @Test
    void withAnotherPolicyThanItsPeersItStandsAlone() {
        isWrittenAlone(LEAST, 2);

        meets(new Apart(9, 0, AfterSplitBrain.DISCONNECT));

        assertThat(copy.status().replication()).isEqualTo(ReplicationState.STAND_ALONE);
        assertThat(copy.status().why())
                .hasValueSatisfying(why -> assertThat(why).endsWith("or a person has chosen at one"));
    }

    @Test
    void firstRunsAloneAreTold() {
        isWrittenAlone(LEAST, LiveFigures.Apart.RUNS_MAXIMUM + 5);

        meets(new Apart(LiveFigures.Apart.RUNS_MAXIMUM + 5, 0, LEAST));

        assertThat(copy.figures().apart().orElseThrow().here()).hasSize(LiveFigures.Apart.RUNS_MAXIMUM);
    }

    @Test
    void whoseLeasesAreGivenOutLeavesTheChoiceToAPerson() {
        copy = new LiveCopy(
                new LiveSettings(
                        A,
                        B,
                        GIB,
                        Protocol.C,
                        Congestion.BLOCK,
                        1 << 20,
                        7,
                        16,
                        2,
                        1_000,
                        true,
                        false,
                        ResyncRate.NONE,
                        LEAST),
                LiveStart.none(GIB),
                () -> new Generation(++fresh));

        happens(new LiveEvent.Connected(SESSION));

        assertThat(said().apart().policy()).isEqualTo(AfterSplitBrain.DISCONNECT);
    }

    @Test
    void twoThatDiedAsPrimariesOfOneGenerationAreLeftToAPerson() {
        afterSplitBrain = LEAST;
        copy = copy(GIB, Protocol.C, OLD, each -> each.primary(true));
        happens(new LiveEvent.Connected(SESSION));

        peerSays(new Hello(
                B,
                GIB,
                Protocol.C,
                new Generations(Optional.of(OLD), Map.of(), List.of()),
                Role.SECONDARY,
                true,
                true,
                false,
                new Apart(9, 0, LEAST)));

        assertThat(copy.status().why())
                .hasValueSatisfying(why -> assertThat(why).endsWith("not known well enough for a policy"));
    }
}

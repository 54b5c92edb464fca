package io.tidemark.replication.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.replication.live.AfterSplitBrain.NoPrimary;
import io.tidemark.replication.live.AfterSplitBrain.OnePrimary;
import io.tidemark.replication.live.LiveMessage.Apart;
import io.tidemark.replication.live.LiveStatus.Role;
import io.tidemark.replication.live.SplitBrain.Decision;
import io.tidemark.replication.live.SplitBrain.Side;
import io.tidemark.replication.live.SplitBrain.Yields;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SplitBrainTest {
    private static final long NOW = 1_795_860_000_000L;
    private static final long[] BLOCKS = {0, 1, 2, Long.MAX_VALUE};
    private static final long[] TIMES = {
        0, 1, NOW, NOW + SplitBrain.CLOCKS_APART - 1, NOW + SplitBrain.CLOCKS_APART, Long.MAX_VALUE, Long.MIN_VALUE
    };

    private static Side side(Role role, boolean isConsistent, long blocks, long since, AfterSplitBrain policy) {
        return new Side(role, isConsistent, new Apart(blocks, since, policy));
    }

    private static List<Side> all() {
        var sides = new ArrayList<Side>();
        for (var noPrimary : NoPrimary.values()) {
            for (var onePrimary : OnePrimary.values()) {
                for (var role : Role.values()) {
                    for (long blocks : BLOCKS) {
                        for (long since : TIMES) {
                            var policy = new AfterSplitBrain(noPrimary, onePrimary);
                            sides.add(side(role, true, blocks, since, policy));
                            sides.add(side(role, false, blocks, since, policy));
                            sides.add(new Side(role, true, new Apart(blocks, false, since, policy)));
                        }
                    }
                }
            }
        }
        return sides;
    }

    private static Yields mirrored(Yields who) {
        return switch (who) {
            case NOBODY -> Yields.NOBODY;
            case SELF -> Yields.PEER;
            case PEER -> Yields.SELF;
        };
    }

    /** Of all pairs: both come to the same, no primary and no torn copy's peer yields, and who is alike stands alone. */
    @Test
    void bothSidesDecideAlike() {
        int decided = 0;
        for (var self : all()) {
            for (var peer : all()) {
                var here = SplitBrain.decide(self, peer);
                var there = SplitBrain.decide(peer, self);
                if (here.who() != mirrored(there.who()) || !here.why().equals(there.why())) {
                    throw new AssertionError("%s and %s: %s, %s".formatted(self, peer, here, there));
                }
                if (here.who() != Yields.NOBODY) {
                    decided++;
                    var loser = here.who() == Yields.SELF ? self : peer;
                    boolean isRight = loser.role() == Role.SECONDARY
                            && self.isConsistent()
                            && peer.isConsistent()
                            && self.apart().policy().equals(peer.apart().policy())
                            && !self.equals(peer);
                    if (!isRight) {
                        throw new AssertionError("%s and %s: %s".formatted(self, peer, here));
                    }
                }
            }
        }
        assertThat(decided).isGreaterThan(1_000);
    }

    private static Decision secondaries(NoPrimary policy, Apart self, Apart peer) {
        var all = new AfterSplitBrain(policy, OnePrimary.DISCONNECT);
        return SplitBrain.decide(
                side(Role.SECONDARY, true, self.dirtyBlocks(), self.since(), all),
                side(Role.SECONDARY, true, peer.dirtyBlocks(), peer.since(), all));
    }

    private static Apart blocks(long count) {
        return new Apart(count, 0, AfterSplitBrain.DISCONNECT);
    }

    private static Apart since(long time) {
        return new Apart(5, time, AfterSplitBrain.DISCONNECT);
    }

    @Test
    void withoutAPolicyNobodyYields() {
        assertThat(secondaries(NoPrimary.DISCONNECT, blocks(0), blocks(1))).isEqualTo(new Decision(Yields.NOBODY, ""));
    }

    @Test
    void whoHasChangedNothingYields() {
        var policy = NoPrimary.DISCARD_ZERO_CHANGES;

        assertThat(secondaries(policy, blocks(0), blocks(1)).who()).isEqualTo(Yields.SELF);
        assertThat(secondaries(policy, blocks(1), blocks(0)).who()).isEqualTo(Yields.PEER);
        assertThat(secondaries(policy, blocks(1), blocks(2)))
                .isEqualTo(new Decision(Yields.NOBODY, "both have changes"));
        assertThat(secondaries(policy, blocks(0), blocks(0)).who()).isEqualTo(Yields.NOBODY);
    }

    @Test
    void whoHasChangedLessYields() {
        var policy = NoPrimary.DISCARD_LEAST_CHANGES;

        assertThat(secondaries(policy, blocks(1), blocks(2)).who()).isEqualTo(Yields.SELF);
        assertThat(secondaries(policy, blocks(3), blocks(2)).who()).isEqualTo(Yields.PEER);
        assertThat(secondaries(policy, blocks(2), blocks(2)))
                .isEqualTo(new Decision(Yields.NOBODY, "both have changed 2 blocks"));
    }

    /** What an activity log had under way counts as changed: of the side that seems to have changed more that says nothing. */
    @Test
    void whoMayHaveChangedLessThanItSeemsIsNotKeptForIt() {
        var policy = new AfterSplitBrain(NoPrimary.DISCARD_LEAST_CHANGES, OnePrimary.DISCONNECT);
        var restarted = new Side(Role.SECONDARY, true, new Apart(1_024, false, 0, policy));

        assertThat(SplitBrain.decide(restarted, side(Role.SECONDARY, true, 500, 0, policy))
                        .why())
                .contains("not known since its restart");
        assertThat(SplitBrain.decide(side(Role.SECONDARY, true, 500, 0, policy), restarted)
                        .who())
                .isEqualTo(Yields.NOBODY);
        assertThat(SplitBrain.decide(restarted, side(Role.SECONDARY, true, 1_024, 0, policy))
                        .why())
                .contains("not known since its restart");
        assertThat(SplitBrain.decide(restarted, side(Role.SECONDARY, true, 1_025, 0, policy))
                        .who())
                .isEqualTo(Yields.SELF);
    }

    @Test
    void whoWasWrittenAloneSinceLaterYieldsWhereClocksTell() {
        var policy = NoPrimary.DISCARD_YOUNGER;
        long apart = SplitBrain.CLOCKS_APART;

        assertThat(secondaries(policy, since(NOW + apart), since(NOW)).who()).isEqualTo(Yields.SELF);
        assertThat(secondaries(policy, since(NOW), since(NOW + apart)).who()).isEqualTo(Yields.PEER);
        assertThat(secondaries(policy, since(NOW), since(NOW + apart - 1)).why())
                .contains("less than 10 s apart");
        assertThat(secondaries(policy, since(0), since(NOW)).why()).contains("not known");
    }

    @Test
    void besideAPrimaryTheSecondaryYieldsWhereThatWasSaid() {
        var policy = new AfterSplitBrain(NoPrimary.DISCARD_LEAST_CHANGES, OnePrimary.DISCARD_SECONDARY);
        var quiet = new AfterSplitBrain(NoPrimary.DISCARD_LEAST_CHANGES, OnePrimary.DISCONNECT);

        assertThat(SplitBrain.decide(side(Role.SECONDARY, true, 9, 0, policy), side(Role.PRIMARY, true, 1, 0, policy))
                        .who())
                .isEqualTo(Yields.SELF);
        assertThat(SplitBrain.decide(side(Role.SECONDARY, true, 9, 0, quiet), side(Role.PRIMARY, true, 1, 0, quiet))
                        .why())
                .isEqualTo("one is primary, and no policy is for that");
        assertThat(SplitBrain.decide(side(Role.PRIMARY, true, 9, 0, policy), side(Role.PRIMARY, true, 1, 0, policy))
                        .why())
                .isEqualTo("both are primary");
        assertThat(SplitBrain.decide(side(Role.SECONDARY, true, 9, 0, policy), side(Role.SECONDARY, true, 1, 0, quiet))
                        .why())
                .isEqualTo("the policies of both sides differ, or a person has chosen at one");
    }
}

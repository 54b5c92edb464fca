package io.tidemark.replication.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.replication.live.Handshake.Extent;
import io.tidemark.replication.live.Handshake.Side;
import io.tidemark.replication.live.Handshake.Verdict;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class HandshakeTest {
    private static final int STEPS = 11;
    private static final CopyId A = TwoCopies.A;
    private static final CopyId B = TwoCopies.B;

    /** What the walk has met: a rule that is met by none is tested by none. */
    private enum Met {
        IN_STEP,
        SOURCE,
        TARGET,
        SPLIT_BRAIN,
        AFTER_CRASH,
        SEVERAL_BASES
    }

    private final Map<Met, Integer> met = new EnumMap<>(Met.class);

    @Test
    void everyHistoryOfTwoCopiesIsToldApart() {
        var worlds = Set.of(TwoCopies.inStep());
        int seen = 0;
        for (int step = 0; step <= STEPS; step++) {
            var next = new HashSet<TwoCopies>();
            for (var world : worlds) {
                seen++;
                if (world.link() == TwoCopies.Link.DOWN) {
                    assertThat(world.wrong()).isEmpty();
                    assertThat(mirror(world.verdictOfB())).isEqualTo(world.verdictOfA());
                    count(world);
                }
                next.addAll(after(world));
            }
            worlds = next;
        }

        assertThat(seen).isGreaterThan(10_000);
        assertThat(met).containsOnlyKeys(Met.values());
    }

    private static List<TwoCopies> after(TwoCopies world) {
        var all = new ArrayList<TwoCopies>();
        world.writeAtA().ifPresent(all::add);
        world.mirrored().writeAtA().map(TwoCopies::mirrored).ifPresent(all::add);
        world.crashAtA().ifPresent(all::add);
        world.mirrored().crashAtA().map(TwoCopies::mirrored).ifPresent(all::add);
        world.cut().ifPresent(all::add);
        world.resynced().ifPresent(all::add);
        if (world.link() == TwoCopies.Link.DOWN) {
            world.met().ifPresent(all::add);
        }
        return all;
    }

    private void count(TwoCopies world) {
        var kind = switch (world.verdictOfA()) {
            case Verdict.InStep _ -> Met.IN_STEP;
            case Verdict.Source _ -> Met.SOURCE;
            case Verdict.Target _ -> Met.TARGET;
            case Verdict.SplitBrain _ -> Met.SPLIT_BRAIN;
            case Verdict.Unrelated _ -> throw new AssertionError("they are related");
        };
        met.merge(kind, 1, Integer::sum);
        if (world.a().crashed()) {
            met.merge(Met.AFTER_CRASH, 1, Integer::sum);
        }
        if (world.a().generations().basesOf(B).size() > 1) {
            met.merge(Met.SEVERAL_BASES, 1, Integer::sum);
        }
    }

    private static Verdict mirror(Verdict verdict) {
        return switch (verdict) {
            case Verdict.Source(var extent) -> new Verdict.Target(extent);
            case Verdict.Target(var extent) -> new Verdict.Source(extent);
            case Verdict.InStep _, Verdict.SplitBrain _, Verdict.Unrelated _ -> verdict;
        };
    }

    @Test
    void copyThatWasNeverWrittenTakesAll() {
        var written = Generations.none().written(Set.of(B), new Generation(1));

        assertThat(decide(Generations.none(), written)).isEqualTo(new Verdict.Target(Extent.FULL));
        assertThat(decide(written, Generations.none())).isEqualTo(new Verdict.Source(Extent.FULL));
        assertThat(decide(Generations.none(), Generations.none())).isEqualTo(new Verdict.InStep());
    }

    @Test
    void copiesOfTwoVolumesAreUnrelated() {
        assertThat(decide(of(1), of(2))).isEqualTo(new Verdict.Unrelated());
        assertThat(decide(of(1).written(Set.of(B), new Generation(3)), of(2).written(Set.of(A), new Generation(4))))
                .isEqualTo(new Verdict.Unrelated());
    }

    @Test
    void copyThatIsBehindWithoutABaseTakesAll() {
        // Of a third copy's absence alone: nobody kept dirty bits for this one.
        var ahead = of(1).written(Set.of(new CopyId("c")), new Generation(2));

        assertThat(decide(of(1), ahead)).isEqualTo(new Verdict.Target(Extent.FULL));
        assertThat(decide(ahead, of(1))).isEqualTo(new Verdict.Source(Extent.FULL));
    }

    @Test
    void historiesThatMeetInThePastAloneAreASplitBrainOfUnknownExtent() {
        var c = new CopyId("c");
        var one = of(1).written(Set.of(c), new Generation(2));
        var other = of(1).written(Set.of(c), new Generation(3));

        assertThat(decide(one, other)).isEqualTo(new Verdict.SplitBrain(Optional.empty()));
    }

    @Test
    void twoPrimariesThatCrashedTogetherAreASplitBrain() {
        var verdict = Handshake.decide(new Side(A, of(1), true, false), new Side(B, of(1), true, false));

        assertThat(verdict).isEqualTo(new Verdict.SplitBrain(Optional.of(new Generation(1))));
    }

    /** Found by the torture of real processes: it was told to stand alone until somebody demoted it. */
    @Test
    void copyThatWasPromotedAndNotWrittenYetIsTheSourceOfAPrimaryThatComesBack() {
        var dead = new Side(A, of(1), true, false);
        var promoted = new Side(B, of(1), false, true);

        assertThat(Handshake.decide(promoted, dead)).isEqualTo(new Verdict.Source(Extent.BITMAP));
        assertThat(Handshake.decide(dead, promoted)).isEqualTo(new Verdict.Target(Extent.BITMAP));
    }

    @Test
    void baseThatIsForgottenIsStillInTheHistory() {
        var ahead = of(1);
        for (int lost = 0; lost <= Generations.BASES_MAXIMUM; lost++) {
            ahead = ahead.written(Set.of(B), new Generation(10 + lost));
        }

        assertThat(ahead.basesOf(B)).hasSize(Generations.BASES_MAXIMUM);
        assertThat(decide(ahead, of(1))).isEqualTo(new Verdict.Source(Extent.FULL));
        assertThat(decide(ahead, of(10))).isEqualTo(new Verdict.Source(Extent.BITMAP));
        for (int lost = 0; lost < 2 * Generations.HISTORY_MAXIMUM; lost++) {
            ahead = ahead.written(Set.of(B), new Generation(100 + lost));
        }
        assertThat(ahead.history()).hasSize(Generations.HISTORY_MAXIMUM);
        // Refused rather than guessed.
        assertThat(decide(ahead, of(1))).isEqualTo(new Verdict.Unrelated());
    }

    private static Generations of(long value) {
        return new Generations(Optional.of(new Generation(value)), Map.of(), List.of());
    }

    private static Verdict decide(Generations self, Generations peer) {
        return Handshake.decide(new Side(A, self, false, false), new Side(B, peer, false, false));
    }
}

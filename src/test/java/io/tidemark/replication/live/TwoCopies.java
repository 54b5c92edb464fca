package io.tidemark.replication.live;

import io.tidemark.replication.live.Handshake.Extent;
import io.tidemark.replication.live.Handshake.Side;
import io.tidemark.replication.live.Handshake.Verdict;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Two copies of a volume, each a set of writes, that lose each other, crash, meet and resync in any order. What the
 * handshake decides is compared with what the sets are. A value: every step makes another.
 *
 * @param acknowledged writes that an application was told of under protocol C
 */
record TwoCopies(Copy a, Copy b, Link link, Set<Integer> acknowledged, int written) {
    static final CopyId A = new CopyId("a");
    static final CopyId B = new CopyId("b");

    enum Link {
        DOWN,
        UP,
        /** The first named is source. */
        A_TO_B,
        B_TO_A,
        /** The target has adopted, the source has not heard of it. */
        A_TO_B_ENDED,
        B_TO_A_ENDED
    }

    /**
     * @param bits writes that the other may lack
     * @param mustBegin since the other was lost, no write has begun a generation yet
     * @param isHalf a resync into it was cut off
     */
    record Copy(
            Generations generations,
            Set<Integer> writes,
            Set<Integer> bits,
            boolean mustBegin,
            boolean crashed,
            boolean isHalf) {
        static Copy ofGeneration(long value) {
            var set = new Generations(Optional.of(new Generation(value)), Map.of(), List.of());
            return new Copy(set, Set.of(), Set.of(), true, false, false);
        }

        Copy lost() {
            return new Copy(generations, writes, bits, true, crashed, isHalf);
        }

        Copy both(int write) {
            return new Copy(generations, with(writes, write), bits, mustBegin, crashed, isHalf);
        }

        Copy alone(int write, CopyId other, long fresh) {
            var set = mustBegin ? generations.written(Set.of(other), new Generation(fresh)) : generations;
            return new Copy(set, with(writes, write), with(bits, write), false, crashed, isHalf);
        }

        Copy inFlight(int write) {
            return new Copy(generations, with(writes, write), with(bits, write), true, true, isHalf);
        }

        Copy inStepWith(CopyId other) {
            return new Copy(generations.inStepWith(other), writes, Set.of(), mustBegin, false, false);
        }

        Copy half() {
            return new Copy(generations, writes, bits, mustBegin, crashed, true);
        }
    }

    static TwoCopies inStep() {
        return new TwoCopies(Copy.ofGeneration(1), Copy.ofGeneration(1), Link.DOWN, Set.of(), 0);
    }

    private static Set<Integer> with(Set<Integer> all, int one) {
        var more = new HashSet<>(all);
        more.add(one);
        return Set.copyOf(more);
    }

    /** The same world with the names of the copies changed. */
    TwoCopies mirrored() {
        var turned = switch (link) {
            case DOWN, UP -> link;
            case A_TO_B -> Link.B_TO_A;
            case B_TO_A -> Link.A_TO_B;
            case A_TO_B_ENDED -> Link.B_TO_A_ENDED;
            case B_TO_A_ENDED -> Link.A_TO_B_ENDED;
        };
        return new TwoCopies(renamed(b, A, B), renamed(a, B, A), turned, acknowledged, written);
    }

    private static Copy renamed(Copy copy, CopyId from, CopyId to) {
        var set = copy.generations();
        var bases = set.basesOf(from);
        var renamed = new Generations(set.current(), bases.isEmpty() ? Map.of() : Map.of(to, bases), set.history());
        return new Copy(renamed, copy.writes(), copy.bits(), copy.mustBegin(), copy.crashed(), copy.isHalf());
    }

    /** A write at a, where it may be primary. */
    Optional<TwoCopies> writeAtA() {
        int write = written + 1;
        return switch (link) {
            case DOWN ->
                a.isHalf()
                        ? Optional.empty()
                        : Optional.of(new TwoCopies(
                                a.alone(write, B, 100L + write), b, link, with(acknowledged, write), write));
            case UP, A_TO_B, A_TO_B_ENDED ->
                Optional.of(new TwoCopies(a.both(write), b.both(write), link, with(acknowledged, write), write));
            case B_TO_A, B_TO_A_ENDED -> Optional.empty();
        };
    }

    /** The primary a dies while a write is durable here and not there: nobody was told of it. */
    Optional<TwoCopies> crashAtA() {
        int write = written + 1;
        return link == Link.UP
                ? Optional.of(new TwoCopies(a.inFlight(write), b.lost(), Link.DOWN, acknowledged, write))
                : Optional.empty();
    }

    Optional<TwoCopies> cut() {
        return link == Link.DOWN
                ? Optional.empty()
                : Optional.of(new TwoCopies(a.lost(), b.lost(), Link.DOWN, acknowledged, written));
    }

    /** The next part of a resync. */
    Optional<TwoCopies> resynced() {
        return switch (link) {
            case A_TO_B -> {
                var adopted =
                        new Copy(Generations.adopted(a.generations(), B), a.writes(), Set.of(), false, false, false);
                yield Optional.of(new TwoCopies(a, adopted, Link.A_TO_B_ENDED, acknowledged, written));
            }
            case A_TO_B_ENDED -> Optional.of(new TwoCopies(a.inStepWith(B), b, Link.UP, acknowledged, written));
            case B_TO_A, B_TO_A_ENDED -> mirrored().resynced().map(TwoCopies::mirrored);
            case DOWN, UP -> Optional.empty();
        };
    }

    Verdict verdictOfA() {
        return Handshake.decide(side(A, a), side(B, b));
    }

    Verdict verdictOfB() {
        return Handshake.decide(side(B, b), side(A, a));
    }

    private static Side side(CopyId id, Copy copy) {
        return new Side(id, copy.generations(), copy.crashed(), false);
    }

    /** After they met; empty where somebody has to choose. */
    Optional<TwoCopies> met() {
        return switch (verdictOfA()) {
            case Verdict.InStep() ->
                Optional.of(new TwoCopies(a.inStepWith(B), b.inStepWith(A), Link.UP, acknowledged, written));
            case Verdict.Source _ -> Optional.of(new TwoCopies(a, b.half(), Link.A_TO_B, acknowledged, written));
            case Verdict.Target _ -> Optional.of(new TwoCopies(a.half(), b, Link.B_TO_A, acknowledged, written));
            case Verdict.SplitBrain _, Verdict.Unrelated _ -> Optional.empty();
        };
    }

    /** What the verdict should be, by the writes alone; the reason where it is another. */
    Optional<String> wrong() {
        var onlyA = minus(a.writes(), b.writes());
        var onlyB = minus(b.writes(), a.writes());
        var bits = new HashSet<>(a.bits());
        bits.addAll(b.bits());
        var verdict = verdictOfA();
        boolean isRight = switch (verdict) {
            case Verdict.InStep() -> onlyA.isEmpty() && onlyB.isEmpty() && !a.isHalf() && !b.isHalf();
            case Verdict.Source(var extent) ->
                !a.isHalf()
                        && minus(onlyB, acknowledged).equals(onlyB)
                        && extent == Extent.BITMAP
                        && bits.containsAll(onlyA)
                        && bits.containsAll(onlyB);
            case Verdict.Target _ -> mirrored().wrong().isEmpty();
            case Verdict.SplitBrain(var common) ->
                !minus(onlyA, Set.of()).isEmpty()
                        && !onlyB.isEmpty()
                        && common.isPresent()
                        && bits.containsAll(onlyA)
                        && bits.containsAll(onlyB);
            case Verdict.Unrelated() -> false;
        };
        return isRight ? Optional.empty() : Optional.of("%s where %s".formatted(verdict, this));
    }

    private static Set<Integer> minus(Set<Integer> all, Set<Integer> some) {
        var rest = new HashSet<>(all);
        rest.removeAll(some);
        return rest;
    }
}

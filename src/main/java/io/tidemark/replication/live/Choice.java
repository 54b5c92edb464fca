package io.tidemark.replication.live;

import io.tidemark.replication.live.Handshake.Extent;
import io.tidemark.replication.live.Handshake.Verdict;
import java.util.Optional;

/** Which of two that were written apart stays, at one of them: by a person's word, or by a policy that both have. */
final class Choice {
    private final Desk desk;

    private boolean yields;
    /** Somebody has said that this copy's content stays: no policy says otherwise before the two are in step. */
    private boolean isPersons;

    private String why = "";
    /** Both were written without the other: what each said, until they are in step or somebody has chosen. */
    private Optional<LiveFigures.Apart> apart = Optional.empty();

    /** @param chosen before this process started */
    Choice(Desk desk, Chosen chosen) {
        this.desk = desk;
        yields = chosen == Chosen.PEER;
        isPersons = chosen == Chosen.SELF;
    }

    /** Whether what this copy alone has is given up. */
    boolean yields() {
        return yields;
    }

    /** Why no policy has chosen; empty where none is set. */
    String why() {
        return why;
    }

    Optional<LiveFigures.Apart> apart() {
        return apart;
    }

    /** A person has chosen. */
    void said(boolean isKept) {
        apart = Optional.empty();
        yields = !isKept;
        isPersons = isKept;
    }

    void inStep() {
        apart = Optional.empty();
        isPersons = false;
    }

    /** What followed from a meeting was begun; one that is kept first is met again, and yields then. */
    void followed() {
        yields &= desk.keeping != 0;
    }

    LiveMessage.Apart mine() {
        var kept = desk.metadata.wanted();
        boolean isKnown = !kept.generations().basesOf(desk.settings.peer()).isEmpty();
        boolean isHeard = !desk.settings.isFenced() && !isPersons;
        var policy = isHeard ? desk.settings.afterSplitBrain() : AfterSplitBrain.DISCONNECT;
        return new LiveMessage.Apart(
                desk.metadata.bitmap.dirtyBlocks(), desk.isCounted, isKnown ? kept.apartSince() : 0, policy);
    }

    /** Where one of them has said that it yields. */
    Verdict byWord(Verdict verdict, LiveMessage.Hello mine, LiveMessage.Hello theirs) {
        if (verdict instanceof Verdict.SplitBrain) {
            var runs = desk.metadata.bitmap.runs(LiveFigures.Apart.RUNS_MAXIMUM);
            apart = Optional.of(new LiveFigures.Apart(mine, theirs, runs));
        }
        boolean isApart = verdict instanceof Verdict.SplitBrain || verdict instanceof Verdict.Unrelated;
        if (!isApart || mine.yields() == theirs.yields()) {
            return verdict;
        }
        boolean isKnown =
                verdict instanceof Verdict.SplitBrain split && split.common().isPresent();
        var extent = isKnown ? Extent.BITMAP : Extent.FULL;
        return mine.yields() ? new Verdict.Target(extent) : new Verdict.Source(extent);
    }

    /** A policy may choose between two histories, where it is known what differs between them. */
    Verdict byPolicy(Verdict verdict, LiveMessage.Hello mine, LiveMessage.Hello theirs) {
        if (!(verdict instanceof Verdict.SplitBrain split)) {
            return verdict;
        }
        var decision = decision(split, mine, theirs);
        return switch (decision.who()) {
            case NOBODY -> {
                why = decision.why();
                yield verdict;
            }
            case PEER -> new Verdict.Source(Extent.BITMAP);
            case SELF -> {
                yields = true;
                yield new Verdict.Target(Extent.BITMAP);
            }
        };
    }

    private static SplitBrain.Decision decision(
            Verdict.SplitBrain split, LiveMessage.Hello mine, LiveMessage.Hello theirs) {
        var nobody = SplitBrain.Yields.NOBODY;
        if (mine.yields() && theirs.yields()) {
            return new SplitBrain.Decision(nobody, "both were told to yield");
        }
        var decision = SplitBrain.decide(side(mine), side(theirs));
        boolean isKnown = split.common().isPresent()
                && !mine.generations().current().equals(theirs.generations().current());
        return isKnown || decision.who() == nobody
                ? decision
                : new SplitBrain.Decision(nobody, "what they have apart is not known well enough for a policy");
    }

    private static SplitBrain.Side side(LiveMessage.Hello hello) {
        return new SplitBrain.Side(hello.role(), hello.isConsistent(), hello.apart());
    }
}

package io.tidemark.policy;

import io.tidemark.domain.LinkState;
import io.tidemark.spi.RecoveryPointId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A planned reversal as the side sees it that gives the source away: {@code (stage, answer) -> (stage, act)}. Immutable;
 * the simulator runs it too. Where it stands is written down as the link's state, by a {@link Act.Move} before what
 * depends on it, so that {@link #begin} goes on from there after a restart.
 *
 * @param rounds recovery points that it may send, one after the other while the volume is written
 * @param round index of the one in work
 */
public record PlannedReversal(List<RecoveryPointId> rounds, int round, Stage stage) {
    /** Recovery points that one reversal sends; a volume that is written during each is not going to rest. */
    public static final int DRAINS_MAXIMUM = 3;

    public PlannedReversal {
        rounds = List.copyOf(rounds);
    }

    public enum Stage {
        ASKING,
        LOOKING,
        COMPARING_EARLIER,
        MARKING,
        DRAINING,
        COMPARING,
        DRAINED,
        TELLING,
        /** An earlier life was handing over. */
        COMPARING_AGAIN,
        ASKING_PEER,
        BECOMING_TARGET,
        GIVING_UP,
        SUCCEEDED,
        FAILED
    }

    /** What to do now; each may be done twice. */
    public sealed interface Act {
        /** Durable on return; answered by DONE. */
        record Move(LinkEvent event, Optional<RecoveryPointId> underway) implements Act {}

        /** Whether an earlier life has recorded the recovery point: RECORDED, NOT_RECORDED or MOUNTED. */
        record LookUp(RecoveryPointId point) implements Act {}

        /** Whether the volume is still the recovery point: UNCHANGED, WRITTEN or MOUNTED. */
        record Compare(RecoveryPointId point) implements Act {}

        /** Cuts the recovery point anew unless it is recorded, and sends it; DONE when the peer has it. */
        record Drain(RecoveryPointId point) implements Act {}

        /** Tells the peer to be the source: YES or NO; FAILED when it does not answer. */
        record HandOver(RecoveryPointId point) implements Act {}

        /** Whether the peer is the source already: YES or NO; FAILED when it does not answer. */
        record AskPeer() implements Act {}

        /** The new role and the new state in one write; answered by DONE. */
        record BecomeTarget() implements Act {}

        /** The link is handed over. */
        record Succeed() implements Act {}

        /** With what the last answer that was not DONE told. */
        record Fail() implements Act {}
    }

    public enum Answer {
        DONE,
        RECORDED,
        NOT_RECORDED,
        UNCHANGED,
        WRITTEN,
        MOUNTED,
        YES,
        NO,
        /** The act could not be carried out, and nothing is known of its outcome. */
        FAILED
    }

    /** The stage after, and what to do now. */
    public record Step(PlannedReversal reversal, Act act) {}

    /**
     * @param first of the request; the ones behind it are known from the first, so that a restart counts on
     * @param source whether this side still is the source; else the last life has done it, but for its end
     * @param underway as the link's record has it
     */
    public static Step begin(
            RecoveryPointId first, boolean source, LinkState state, Optional<RecoveryPointId> underway) {
        var rounds = rounds(first);
        if (!source) {
            return new PlannedReversal(rounds, 0, Stage.SUCCEEDED).doing(new Act.Succeed());
        }
        if (state == LinkState.HANDING_OVER) {
            // What was written since cannot be sent any more if the peer is the source already.
            var handed = underway.orElse(first);
            return new PlannedReversal(List.of(handed), 0, Stage.COMPARING_AGAIN).doing(new Act.Compare(handed));
        }
        return new PlannedReversal(rounds, 0, Stage.ASKING)
                .doing(new Act.Move(LinkEvent.REVERSAL_ASKED, Optional.of(first)));
    }

    /** The recovery points that a reversal may send, in order. */
    public static List<RecoveryPointId> rounds(RecoveryPointId first) {
        var rounds = new ArrayList<>(List.of(first));
        for (int round = 2; round <= DRAINS_MAXIMUM; round++) {
            rounds.add(new RecoveryPointId("%sd%d".formatted(first, round)));
        }
        return rounds;
    }

    /** @throws IllegalStateException when the answer does not fit what was asked: a bug of the caller */
    public Step answered(Answer answer) {
        return switch (stage) {
            case ASKING ->
                answer == Answer.DONE ? to(Stage.LOOKING, new Act.LookUp(point())) : ended(Stage.FAILED, answer);
            case LOOKING ->
                switch (answer) {
                    // Of a life before this one, perhaps long ago: recorded does not say that it is still the volume.
                    case RECORDED -> to(Stage.COMPARING_EARLIER, new Act.Compare(point()));
                    case NOT_RECORDED -> mark();
                    default -> giveUp(answer);
                };
            case COMPARING_EARLIER ->
                switch (answer) {
                    case UNCHANGED -> mark();
                    case WRITTEN -> nextRound();
                    default -> giveUp(answer);
                };
            case MARKING -> answer == Answer.DONE ? to(Stage.DRAINING, new Act.Drain(point())) : giveUp(answer);
            case DRAINING -> answer == Answer.DONE ? to(Stage.COMPARING, new Act.Compare(point())) : giveUp(answer);
            case COMPARING ->
                switch (answer) {
                    case UNCHANGED -> to(Stage.DRAINED, new Act.Move(LinkEvent.DRAINED, Optional.of(point())));
                    case WRITTEN -> nextRound();
                    default -> giveUp(answer);
                };
            case DRAINED ->
                answer == Answer.DONE ? to(Stage.TELLING, new Act.HandOver(point())) : ended(Stage.FAILED, answer);
            case TELLING, ASKING_PEER, COMPARING_AGAIN -> handingOver(answer);
            case BECOMING_TARGET -> ended(answer == Answer.DONE ? Stage.SUCCEEDED : Stage.FAILED, answer);
            case GIVING_UP -> to(Stage.FAILED, new Act.Fail());
            case SUCCEEDED, FAILED -> throw new IllegalStateException(answer + " in " + stage);
        };
    }

    /** The peer may be the source already: from here on the link is given back on the peer's word alone. */
    private Step handingOver(Answer answer) {
        if (answer == Answer.FAILED) {
            return ended(Stage.FAILED, answer);
        }
        return switch (stage) {
            case COMPARING_AGAIN ->
                switch (answer) {
                    case UNCHANGED -> to(Stage.TELLING, new Act.HandOver(point()));
                    case WRITTEN, MOUNTED -> to(Stage.ASKING_PEER, new Act.AskPeer());
                    default -> throw new IllegalStateException(answer + " in " + stage);
                };
            case TELLING, ASKING_PEER ->
                switch (answer) {
                    case YES -> to(Stage.BECOMING_TARGET, new Act.BecomeTarget());
                    case NO -> giveUp(answer);
                    default -> throw new IllegalStateException(answer + " in " + stage);
                };
            default -> throw new AssertionError(stage);
        };
    }

    private Step mark() {
        return to(Stage.MARKING, new Act.Move(LinkEvent.REVERSAL_ASKED, Optional.of(point())));
    }

    private Step nextRound() {
        if (round + 1 == rounds.size()) {
            return giveUp(Answer.WRITTEN);
        }
        var next = new PlannedReversal(rounds, round + 1, Stage.LOOKING);
        return next.doing(new Act.LookUp(next.point()));
    }

    private Step giveUp(Answer answer) {
        return switch (answer) {
            case WRITTEN, MOUNTED, NO, FAILED ->
                to(Stage.GIVING_UP, new Act.Move(LinkEvent.REVERSAL_GIVEN_UP, Optional.empty()));
            default -> throw new IllegalStateException(answer + " in " + stage);
        };
    }

    private Step ended(Stage how, Answer answer) {
        if (how == Stage.FAILED && answer != Answer.FAILED) {
            throw new IllegalStateException(answer + " in " + stage);
        }
        return to(how, how == Stage.SUCCEEDED ? new Act.Succeed() : new Act.Fail());
    }

    /** The recovery point in work. */
    public RecoveryPointId point() {
        return rounds.get(round);
    }

    private Step to(Stage next, Act act) {
        return new PlannedReversal(rounds, round, next).doing(act);
    }

    private Step doing(Act act) {
        return new Step(this, act);
    }
}

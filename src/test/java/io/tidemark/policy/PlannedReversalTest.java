package io.tidemark.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.domain.LinkState;
import io.tidemark.policy.PlannedReversal.Act;
import io.tidemark.policy.PlannedReversal.Answer;
import io.tidemark.policy.PlannedReversal.Stage;
import io.tidemark.policy.PlannedReversal.Step;
import io.tidemark.spi.RecoveryPointId;
import java.util.ArrayDeque;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PlannedReversalTest {
    private static final RecoveryPointId FIRST = new RecoveryPointId("rp-1");

    private static Step active() {
        return PlannedReversal.begin(FIRST, true, LinkState.ACTIVE, Optional.empty());
    }

    private static Step handingOver() {
        return PlannedReversal.begin(FIRST, true, LinkState.HANDING_OVER, Optional.of(FIRST));
    }

    private static Step after(Step step, Answer... answers) {
        var now = step;
        for (var answer : answers) {
            now = now.reversal().answered(answer);
        }
        return now;
    }

    @Test
    void everyStageIsReachedAndEveryAnswerThatFitsLeadsSomewhere() {
        var reached = EnumSet.noneOf(Stage.class);
        var seen = new HashSet<PlannedReversal>();
        var open = new ArrayDeque<>(List.of(active(), handingOver()));
        while (!open.isEmpty()) {
            var step = open.remove();
            reached.add(step.reversal().stage());
            boolean ended = step.act() instanceof Act.Succeed || step.act() instanceof Act.Fail;
            if (ended || !seen.add(step.reversal())) {
                continue;
            }
            int before = open.size();
            for (var answer : Answer.values()) {
                try {
                    open.add(step.reversal().answered(answer));
                } catch (IllegalStateException unfit) {
                    assertThat(answer).as(unfit.getMessage()).isNotEqualTo(Answer.FAILED);
                }
            }
            assertThat(open.size()).as(step.toString()).isGreaterThan(before + 1);
        }

        assertThat(reached).containsExactlyInAnyOrder(Stage.values());
    }

    @Test
    void thePeerIsToldOnlyWhatTheVolumeStillIsOnceThatIsWrittenDown() {
        var told = after(active(), Answer.DONE, Answer.NOT_RECORDED, Answer.DONE, Answer.DONE, Answer.UNCHANGED);

        assertThat(told.act()).isEqualTo(new Act.Move(LinkEvent.DRAINED, Optional.of(FIRST)));
        assertThat(after(told, Answer.DONE).act()).isEqualTo(new Act.HandOver(FIRST));
    }

    @Test
    void aVolumeThatIsWrittenInEachDrainIsGivenBack() {
        var step = after(active(), Answer.DONE);
        for (int round = 0; round < PlannedReversal.DRAINS_MAXIMUM; round++) {
            assertThat(step.reversal().stage()).isEqualTo(Stage.LOOKING);
            step = after(step, Answer.NOT_RECORDED, Answer.DONE, Answer.DONE, Answer.WRITTEN);
        }

        assertThat(step.act()).isEqualTo(new Act.Move(LinkEvent.REVERSAL_GIVEN_UP, Optional.empty()));
        assertThat(after(step, Answer.DONE).act()).isInstanceOf(Act.Fail.class);
    }

    @Test
    void withoutAnAnswerOfThePeerTheLinkStaysHandingOver() {
        assertThat(after(handingOver(), Answer.UNCHANGED, Answer.FAILED).act()).isInstanceOf(Act.Fail.class);
        assertThat(after(handingOver(), Answer.WRITTEN, Answer.FAILED).act()).isInstanceOf(Act.Fail.class);
    }

    @Test
    void whatWasWrittenSinceTheHandOverIsSentAgainOnlyWhenThePeerIsNotTheSource() {
        assertThat(after(handingOver(), Answer.WRITTEN, Answer.YES).act()).isInstanceOf(Act.BecomeTarget.class);
        assertThat(after(handingOver(), Answer.MOUNTED, Answer.NO).act())
                .isEqualTo(new Act.Move(LinkEvent.REVERSAL_GIVEN_UP, Optional.empty()));
    }

    @Test
    void aSideThatIsTheTargetAlreadyHasNothingLeftToDo() {
        assertThat(PlannedReversal.begin(FIRST, false, LinkState.ACTIVE, Optional.empty())
                        .act())
                .isInstanceOf(Act.Succeed.class);
    }
}

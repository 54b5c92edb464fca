package io.tidemark.simulation;

import io.tidemark.domain.ReplicationLink.Role;
import io.tidemark.policy.PlannedReversal.Act;
import io.tidemark.policy.PlannedReversal.Answer;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;

/** Reversals that break one rule each. */
final class MutantReversals {
    private MutantReversals() {}

    static final class BecomesTheTargetFirst extends SimulatedReversal {
        BecomesTheTargetFirst(SimulatedHost host) {
            super(host);
        }

        @Override
        void perform(Act act) throws ProviderException, ReplicationException {
            if (act instanceof Act.HandOver) {
                host.become(Role.TARGET);
            }
            super.perform(act);
        }
    }

    static final class TakesSilenceForYes extends SimulatedReversal {
        TakesSilenceForYes(SimulatedHost host) {
            super(host);
        }

        @Override
        Answer unanswered() {
            return Answer.YES;
        }
    }

    static final class ComparesNothing extends SimulatedReversal {
        ComparesNothing(SimulatedHost host) {
            super(host);
        }

        @Override
        Answer compare(RecoveryPointId point) {
            world.checks.compared(host);
            return Answer.UNCHANGED;
        }
    }

    static final class FollowsUnasked extends SimulatedReversal {
        FollowsUnasked(SimulatedHost host) {
            super(host);
        }

        @Override
        void follow() throws ProviderException, ReplicationException {
            host.become(Role.TARGET);
            ended(true);
        }
    }
}

package io.tidemark.simulation;

import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.TargetSync;
import io.tidemark.replication.protocol.IngestTotals;
import io.tidemark.spi.RecoveryPointId;
import java.util.Optional;

/** Targets that break one rule of link control, or of the writer, each. */
final class MutantTargets {
    private MutantTargets() {}

    static final class AcknowledgesWhatWaits extends SimulatedTarget {
        AcknowledgesWhatWaits(SimulatedHost host) {
            super(host);
        }

        @Override
        IngestTotals acknowledged(IngestTotals synced) {
            return working().map(TargetSync::received).orElse(synced);
        }
    }

    static final class CommitsBeforeTheWriterEnds extends SimulatedTarget {
        CommitsBeforeTheWriterEnds(SimulatedHost host) {
            super(host);
        }

        @Override
        boolean awaitsWriter(Session session) {
            return false;
        }
    }

    static final class LooksAtNothing extends SimulatedTarget {
        LooksAtNothing(SimulatedHost host) {
            super(host);
        }

        @Override
        boolean written(RecoveryPointId stands) {
            return false;
        }
    }

    static final class LooksOnce extends SimulatedTarget {
        LooksOnce(SimulatedHost host) {
            super(host);
        }

        @Override
        void refuseWhenWrittenMeanwhile(TargetSync sync) {}
    }

    static final class KeepsNothing extends SimulatedTarget {
        KeepsNothing(SimulatedHost host) {
            super(host);
        }

        @Override
        void keepAndOverrule(RecoveryPointId offered) {}

        @Override
        void refuseWhenWrittenMeanwhile(TargetSync sync) {}
    }

    static final class MakesNoWay extends SimulatedTarget {
        MakesNoWay(SimulatedHost host) {
            super(host);
        }

        @Override
        boolean makesWay() {
            return true;
        }
    }

    static final class ReceivesWhilePaused extends SimulatedTarget {
        ReceivesWhilePaused(SimulatedHost host) {
            super(host);
        }

        @Override
        Optional<ReplicationError> refusal() {
            return super.refusal().filter(error -> !(error instanceof ReplicationError.LinkPaused));
        }
    }

    static final class ReceivesAsASource extends SimulatedTarget {
        ReceivesAsASource(SimulatedHost host) {
            super(host);
        }

        @Override
        Optional<ReplicationError> refusal() {
            return super.refusal().filter(error -> !(error instanceof ReplicationError.NoTarget));
        }
    }

    static final class KeepsItsLog extends SimulatedTarget {
        KeepsItsLog(SimulatedHost host) {
            super(host);
        }

        @Override
        void forgetLog() {}
    }

    static final class ConfirmsWhileHandingOver extends SimulatedTarget {
        ConfirmsWhileHandingOver(SimulatedHost host) {
            super(host);
        }

        @Override
        Optional<ReplicationError> confirm() {
            return Optional.empty();
        }
    }

    static final class TakesWhatWasGivenUp extends SimulatedTarget {
        TakesWhatWasGivenUp(SimulatedHost host) {
            super(host);
        }

        @Override
        boolean isWithdrawn(RecoveryPointId handed) {
            return false;
        }
    }
}

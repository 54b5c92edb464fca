package io.tidemark.simulation;

import io.tidemark.replication.TargetEffect;
import io.tidemark.replication.TargetInput;
import io.tidemark.replication.protocol.IngestTotals;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import java.util.Optional;
import java.util.function.Function;

/** Hosts that break one rule each; the checks must find every one of them. */
enum Mutant {
    THE_BASE_IS_RELEASED_BEFORE_THE_COMMIT(source(MutantSources.ReleasesTheBaseEarly::new)),
    WHAT_IS_SENT_IS_NOT_HELD(source(MutantSources.HoldsNothing::new)),
    OLDER_HOLDS_NEVER_END_AT_THE_SOURCE(source(MutantSources.NeverLetsGo::new)),
    BLOCKS_ARE_TAKEN_AGAINST_AN_OLDER_BASE(source(MutantSources.BuildsUponAnOlderBase::new)),
    A_RESUMED_TRANSFER_BEGINS_AT_THE_BEGINNING(source(MutantSources.IgnoresWhereToResume::new)),
    THE_WINDOW_IS_IGNORED(source(MutantSources.IgnoresTheWindow::new)),
    A_REFUSED_PEER_LEAVES_A_HOLD(source(MutantSources.HoldsBeforeThePeerAgrees::new)),

    THE_LOG_IS_APPLIED_BEFORE_ITS_COMMIT_IS_DURABLE(target(AppliesBeforeTheCommit::new)),
    A_COMMIT_IN_MEMORY_IS_ACTED_UPON(target(TrustsWhatIsNotSynced::new)),
    UNSYNCED_FRAMES_ARE_ACKNOWLEDGED(target(AcknowledgesBeforeSync::new)),
    A_COMMITTED_LOG_IS_FORGOTTEN_AT_THE_START(target(ForgetsTheCommittedLog::new)),
    A_TORN_TAIL_IS_WRITTEN_BEHIND(target(KeepsTheTornTail::new)),
    THE_COPY_IS_NOT_FLUSHED(target(DoesNotFlush::new)),
    THE_COPY_IS_NOT_HELD(target(DoesNotHold::new)),
    THE_POINT_IS_RECORDED_BEFORE_IT_IS_CUT(target(RecordsBeforeItCuts::new)),
    OLDER_HOLDS_NEVER_END_AT_THE_TARGET(target(NeverLetsGo::new)),
    COMMITTED_IS_SAID_BEFORE_IT_IS_APPLIED(target(SaysCommittedTooEarly::new)),

    WHAT_WAITS_IS_ACKNOWLEDGED_TOO(target(MutantTargets.AcknowledgesWhatWaits::new)),
    A_COMMIT_DOES_NOT_WAIT_FOR_THE_WRITER(target(MutantTargets.CommitsBeforeTheWriterEnds::new)),
    NOBODY_LOOKS_WHETHER_THE_TARGET_WAS_WRITTEN(target(MutantTargets.LooksAtNothing::new)),
    NOBODY_LOOKS_AGAIN_BEFORE_THE_COMMIT(target(MutantTargets.LooksOnce::new)),
    A_RESYNC_KEEPS_NOTHING(target(MutantTargets.KeepsNothing::new)),
    A_FOUND_COMMIT_IS_APPLIED_OVER_WHATEVER_IS_THERE(target(MutantTargets.MakesNoWay::new)),
    A_PAUSED_TARGET_RECEIVES(target(MutantTargets.ReceivesWhilePaused::new)),
    A_SOURCE_RECEIVES(target(MutantTargets.ReceivesAsASource::new)),
    A_PROMOTED_TARGET_KEEPS_ITS_LOG(target(MutantTargets.KeepsItsLog::new)),
    A_SIDE_THAT_HANDS_OVER_SAYS_THAT_IT_IS_THE_SOURCE(target(MutantTargets.ConfirmsWhileHandingOver::new)),
    A_HAND_OVER_THAT_WAS_GIVEN_UP_IS_TAKEN(target(MutantTargets.TakesWhatWasGivenUp::new)),
    THE_OLD_SOURCE_IS_THE_TARGET_BEFORE_ITS_PEER_ANSWERS(reversal(MutantReversals.BecomesTheTargetFirst::new)),
    NO_ANSWER_IS_TAKEN_FOR_A_YES(reversal(MutantReversals.TakesSilenceForYes::new)),
    WHAT_WAS_DRAINED_IS_NOT_COMPARED(reversal(MutantReversals.ComparesNothing::new)),
    FOLLOWING_DOES_NOT_ASK_THE_PEER(reversal(MutantReversals.FollowsUnasked::new));

    @SuppressWarnings("ImmutableEnumChecker") // constructors have no state
    final Cast cast;

    Mutant(Cast cast) {
        this.cast = cast;
    }

    private static Cast source(Function<SimulatedHost, SimulatedSource> source) {
        return new Cast(source, SimulatedTarget::new, SimulatedReversal::new);
    }

    private static Cast target(Function<SimulatedHost, SimulatedTarget> target) {
        return new Cast(SimulatedSource::new, target, SimulatedReversal::new);
    }

    private static Cast reversal(Function<SimulatedHost, SimulatedReversal> reversal) {
        return new Cast(SimulatedSource::new, SimulatedTarget::new, reversal);
    }

    private static final class AppliesBeforeTheCommit extends SimulatedTarget {
        AppliesBeforeTheCommit(SimulatedHost host) {
            super(host);
        }

        @Override
        void perform(TargetEffect effect, Session session)
                throws ProviderException, io.tidemark.replication.ReplicationException {
            if (effect instanceof TargetEffect.WriteCommit) {
                for (var blocks : openLog().blocks()) {
                    write(blocks);
                    world.mayCrash();
                }
                closeWriter();
            }
            super.perform(effect, session);
        }
    }

    private static final class TrustsWhatIsNotSynced extends SimulatedTarget {
        TrustsWhatIsNotSynced(SimulatedHost host) {
            super(host);
        }

        @Override
        void reopen() {
            log = Optional.ofNullable(log).flatMap(SimulatedLog::reopened).orElse(null);
        }
    }

    private static final class AcknowledgesBeforeSync extends SimulatedTarget {
        AcknowledgesBeforeSync(SimulatedHost host) {
            super(host);
        }

        @Override
        void sync(IngestTotals totals) {
            openLog().appendCheckpoint(totals);
        }
    }

    private static final class ForgetsTheCommittedLog extends SimulatedTarget {
        ForgetsTheCommittedLog(SimulatedHost host) {
            super(host);
        }

        @Override
        Optional<RecoveryPointId> leftCommitted() {
            log = null;
            return Optional.empty();
        }
    }

    private static final class KeepsTheTornTail extends SimulatedTarget {
        KeepsTheTornTail(SimulatedHost host) {
            super(host);
        }

        @Override
        void reopen() {
            // As if the file were opened for appending at its end, wherever that is.
            if (log != null && log.reopened().isEmpty()) {
                log = null;
            }
        }

        @Override
        void perform(TargetEffect effect, Session session)
                throws ProviderException, io.tidemark.replication.ReplicationException {
            if (!(effect instanceof TargetEffect.ReopenLog)) {
                super.perform(effect, session);
            }
        }
    }

    private static final class DoesNotFlush extends SimulatedTarget {
        DoesNotFlush(SimulatedHost host) {
            super(host);
        }

        @Override
        void apply(Session session) throws ProviderException {
            if (!direct() && (session.connected() || makesWay())) {
                for (var blocks : openLog().blocks()) {
                    write(blocks);
                }
            }
            closeWriter();
            session.inputs.add(new TargetInput.StepDone());
        }
    }

    private static final class DoesNotHold extends SimulatedTarget {
        DoesNotHold(SimulatedHost host) {
            super(host);
        }

        @Override
        void perform(TargetEffect effect, Session session)
                throws ProviderException, io.tidemark.replication.ReplicationException {
            if (effect instanceof TargetEffect.HoldSnapshot) {
                session.inputs.add(new TargetInput.StepDone());
            } else {
                super.perform(effect, session);
            }
        }
    }

    private static final class RecordsBeforeItCuts extends SimulatedTarget {
        RecordsBeforeItCuts(SimulatedHost host) {
            super(host);
        }

        @Override
        void perform(TargetEffect effect, Session session)
                throws ProviderException, io.tidemark.replication.ReplicationException {
            if (effect instanceof TargetEffect.CutSnapshot cut) {
                host.inStep = Optional.of(cut.point());
                world.mayCrash();
            }
            super.perform(effect, session);
        }
    }

    private static final class NeverLetsGo extends SimulatedTarget {
        NeverLetsGo(SimulatedHost host) {
            super(host);
        }

        @Override
        void perform(TargetEffect effect, Session session)
                throws ProviderException, io.tidemark.replication.ReplicationException {
            if (effect instanceof TargetEffect.LetGoOfOlder) {
                session.inputs.add(new TargetInput.StepDone());
            } else {
                super.perform(effect, session);
            }
        }
    }

    private static final class SaysCommittedTooEarly extends SimulatedTarget {
        SaysCommittedTooEarly(SimulatedHost host) {
            super(host);
        }

        @Override
        void perform(TargetEffect effect, Session session)
                throws ProviderException, io.tidemark.replication.ReplicationException {
            super.perform(effect, session);
            if (effect instanceof TargetEffect.WriteCommit) {
                session.send(new Message.Committed(openLog().header.point()));
            }
        }
    }
}

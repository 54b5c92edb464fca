package io.tidemark.simulation;

import io.tidemark.replication.TargetEffect;
import io.tidemark.replication.TargetInput;
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
    COMMITTED_IS_SAID_BEFORE_IT_IS_APPLIED(target(SaysCommittedTooEarly::new));

    @SuppressWarnings("ImmutableEnumChecker") // constructors have no state
    final Cast cast;

    Mutant(Cast cast) {
        this.cast = cast;
    }

    private static Cast source(Function<World, SimulatedSource> source) {
        return new Cast(source, SimulatedTarget::new);
    }

    private static Cast target(Function<World, SimulatedTarget> target) {
        return new Cast(SimulatedSource::new, target);
    }

    private static final class AppliesBeforeTheCommit extends SimulatedTarget {
        AppliesBeforeTheCommit(World world) {
            super(world);
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
        TrustsWhatIsNotSynced(World world) {
            super(world);
        }

        @Override
        void reopen() {
            log = Optional.ofNullable(log).flatMap(SimulatedLog::reopened).orElse(null);
        }
    }

    private static final class AcknowledgesBeforeSync extends SimulatedTarget {
        AcknowledgesBeforeSync(World world) {
            super(world);
        }

        @Override
        void perform(TargetEffect effect, Session session)
                throws ProviderException, io.tidemark.replication.ReplicationException {
            if (effect instanceof TargetEffect.SyncLog synced) {
                openLog().appendCheckpoint(synced.totals());
                session.inputs.add(new TargetInput.LogSynced(synced.totals()));
            } else {
                super.perform(effect, session);
            }
        }
    }

    private static final class ForgetsTheCommittedLog extends SimulatedTarget {
        ForgetsTheCommittedLog(World world) {
            super(world);
        }

        @Override
        Optional<RecoveryPointId> leftCommitted() {
            log = null;
            return Optional.empty();
        }
    }

    private static final class KeepsTheTornTail extends SimulatedTarget {
        KeepsTheTornTail(World world) {
            super(world);
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
        DoesNotFlush(World world) {
            super(world);
        }

        @Override
        void apply(Session session) throws ProviderException {
            if (!direct()) {
                for (var blocks : openLog().blocks()) {
                    write(blocks);
                }
            }
            closeWriter();
            session.inputs.add(new TargetInput.StepDone());
        }
    }

    private static final class DoesNotHold extends SimulatedTarget {
        DoesNotHold(World world) {
            super(world);
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
        RecordsBeforeItCuts(World world) {
            super(world);
        }

        @Override
        void perform(TargetEffect effect, Session session)
                throws ProviderException, io.tidemark.replication.ReplicationException {
            if (effect instanceof TargetEffect.CutSnapshot cut) {
                inStep = Optional.of(cut.point());
                world.mayCrash();
            }
            super.perform(effect, session);
        }
    }

    private static final class NeverLetsGo extends SimulatedTarget {
        NeverLetsGo(World world) {
            super(world);
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
        SaysCommittedTooEarly(World world) {
            super(world);
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

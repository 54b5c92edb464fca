package io.tidemark.simulation;

import io.tidemark.replication.SourceEffect;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.ProviderException;
import java.util.List;
import java.util.Optional;

/** Sources that break one rule each. */
final class MutantSources {
    private MutantSources() {}

    static final class ReleasesTheBaseEarly extends SimulatedSource {
        ReleasesTheBaseEarly(SimulatedHost host) {
            super(host);
        }

        @Override
        void perform(SourceEffect effect) throws ProviderException {
            super.perform(effect);
            if (effect instanceof SourceEffect.Send(Message.Commit _)) {
                for (var base : sync().orElseThrow().base().stream().toList()) {
                    host.provider.release(SimulatedHost.snapshot(base), SimulatedHost.OWNER);
                }
            }
        }
    }

    static final class HoldsNothing extends SimulatedSource {
        HoldsNothing(SimulatedHost host) {
            super(host);
        }

        @Override
        void perform(SourceEffect effect) throws ProviderException {
            super.perform(effect);
            if (effect instanceof SourceEffect.Hold hold) {
                host.provider.release(SimulatedHost.snapshot(hold.point()), SimulatedHost.OWNER);
            }
        }
    }

    static final class NeverLetsGo extends SimulatedSource {
        NeverLetsGo(SimulatedHost host) {
            super(host);
        }

        @Override
        void perform(SourceEffect effect) throws ProviderException {
            super.perform(effect instanceof SourceEffect.MoveHolds ? new SourceEffect.MoveHolds(List.of()) : effect);
        }
    }

    static final class BuildsUponAnOlderBase extends SimulatedSource {
        BuildsUponAnOlderBase(SimulatedHost host) {
            super(host);
        }

        @Override
        void perform(SourceEffect effect) throws ProviderException {
            if (effect instanceof SourceEffect.OpenImage open
                    && open.base().isPresent()
                    && !open.letGo().isEmpty()) {
                super.perform(
                        new SourceEffect.OpenImage(Optional.of(open.letGo().getLast()), List.of(), open.resumeBytes()));
                host.provider.hold(SimulatedHost.snapshot(open.base().get()), SimulatedHost.OWNER);
            } else {
                super.perform(effect);
            }
        }
    }

    static final class IgnoresWhereToResume extends SimulatedSource {
        IgnoresWhereToResume(SimulatedHost host) {
            super(host);
        }

        @Override
        void perform(SourceEffect effect) throws ProviderException {
            super.perform(
                    effect instanceof SourceEffect.OpenImage open
                            ? new SourceEffect.OpenImage(open.base(), open.letGo(), 0)
                            : effect);
        }
    }

    static final class IgnoresTheWindow extends SimulatedSource {
        IgnoresTheWindow(SimulatedHost host) {
            super(host);
        }

        @Override
        int windowFrames() {
            return Integer.MAX_VALUE;
        }
    }

    static final class HoldsBeforeThePeerAgrees extends SimulatedSource {
        HoldsBeforeThePeerAgrees(SimulatedHost host) {
            super(host);
        }

        @Override
        void perform(SourceEffect effect) throws ProviderException {
            if (effect instanceof SourceEffect.Connect) {
                host.provider.hold(SimulatedHost.snapshot(point()), SimulatedHost.OWNER);
            }
            super.perform(effect);
        }
    }
}

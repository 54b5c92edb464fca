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
        ReleasesTheBaseEarly(World world) {
            super(world);
        }

        @Override
        void perform(SourceEffect effect) throws ProviderException {
            super.perform(effect);
            if (effect instanceof SourceEffect.Send(Message.Commit _)) {
                for (var base : sync().orElseThrow().base().stream().toList()) {
                    provider.release(snapshot(base), OWNER);
                }
            }
        }
    }

    static final class HoldsNothing extends SimulatedSource {
        HoldsNothing(World world) {
            super(world);
        }

        @Override
        void perform(SourceEffect effect) throws ProviderException {
            super.perform(effect);
            if (effect instanceof SourceEffect.Hold hold) {
                provider.release(snapshot(hold.point()), OWNER);
            }
        }
    }

    static final class NeverLetsGo extends SimulatedSource {
        NeverLetsGo(World world) {
            super(world);
        }

        @Override
        void perform(SourceEffect effect) throws ProviderException {
            super.perform(effect instanceof SourceEffect.MoveHolds ? new SourceEffect.MoveHolds(List.of()) : effect);
        }
    }

    static final class BuildsUponAnOlderBase extends SimulatedSource {
        BuildsUponAnOlderBase(World world) {
            super(world);
        }

        @Override
        void perform(SourceEffect effect) throws ProviderException {
            if (effect instanceof SourceEffect.OpenImage open
                    && open.base().isPresent()
                    && !open.letGo().isEmpty()) {
                super.perform(
                        new SourceEffect.OpenImage(Optional.of(open.letGo().getLast()), List.of(), open.resumeBytes()));
                provider.hold(snapshot(open.base().get()), OWNER);
            } else {
                super.perform(effect);
            }
        }
    }

    static final class IgnoresWhereToResume extends SimulatedSource {
        IgnoresWhereToResume(World world) {
            super(world);
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
        IgnoresTheWindow(World world) {
            super(world);
        }

        @Override
        int windowFrames() {
            return Integer.MAX_VALUE;
        }
    }

    static final class HoldsBeforeThePeerAgrees extends SimulatedSource {
        HoldsBeforeThePeerAgrees(World world) {
            super(world);
        }

        @Override
        void perform(SourceEffect effect) throws ProviderException {
            if (effect instanceof SourceEffect.Connect) {
                provider.hold(snapshot(point()), OWNER);
            }
            super.perform(effect);
        }
    }
}

package io.tidemark.replication.live;

import io.tidemark.replication.live.AfterSplitBrain.NoPrimary;
import io.tidemark.replication.live.AfterSplitBrain.OnePrimary;
import io.tidemark.replication.live.LiveStatus.Role;

/**
 * Which of two copies that were written apart yields by a policy, from what each has said of itself: a pure function, the
 * other side's decision is the mirror of this one. Where it decides nothing, a person does.
 */
public final class SplitBrain {
    /** Milliseconds: of two moments that are nearer to each other nobody knows which was first, for hosts' clocks differ. */
    public static final long CLOCKS_APART = 10_000;

    private static final String NOT_COUNTED = "how much one of them has changed is not known since its restart";

    /** @param isConsistent its content is of one moment */
    public record Side(Role role, boolean isConsistent, LiveMessage.Apart apart) {}

    public enum Yields {
        NOBODY,
        SELF,
        PEER
    }

    /** @param why nobody does; empty where no policy is set, or one yields */
    public record Decision(Yields who, String why) {}

    private SplitBrain() {}

    public static Decision decide(Side self, Side peer) {
        var policy = self.apart().policy();
        if (!policy.equals(peer.apart().policy())) {
            return nobody("the policies of both sides differ, or a person has chosen at one");
        }
        if (policy.equals(AfterSplitBrain.DISCONNECT)) {
            return nobody("");
        }
        if (!self.isConsistent() || !peer.isConsistent()) {
            return nobody("one of them is inconsistent");
        }
        if (self.role() != peer.role()) {
            boolean isSelf = self.role() == Role.SECONDARY;
            return policy.onePrimary() == OnePrimary.DISCARD_SECONDARY
                    ? one(isSelf)
                    : nobody("one is primary, and no policy is for that");
        }
        return self.role() == Role.PRIMARY
                ? nobody("both are primary")
                : byChanges(policy.noPrimary(), self.apart(), peer.apart());
    }

    private static Decision byChanges(NoPrimary policy, LiveMessage.Apart self, LiveMessage.Apart peer) {
        return switch (policy) {
            case DISCONNECT -> nobody("neither is primary, and no policy is for that");
            case DISCARD_ZERO_CHANGES ->
                (self.dirtyBlocks() == 0) == (peer.dirtyBlocks() == 0)
                        ? nobody("%s have changes"
                                .formatted(self.dirtyBlocks() == 0 ? "neither of them is known to" : "both"))
                        : one(self.dirtyBlocks() == 0);
            case DISCARD_LEAST_CHANGES -> byCount(self, peer);
            case DISCARD_YOUNGER -> byTime(self.since(), peer.since());
        };
    }

    /** Whoever seems to have changed less has; whoever seems to have changed more may have not. */
    private static Decision byCount(LiveMessage.Apart self, LiveMessage.Apart peer) {
        if (self.dirtyBlocks() == peer.dirtyBlocks()) {
            return nobody(
                    self.isCounted() && peer.isCounted()
                            ? "both have changed %d blocks".formatted(self.dirtyBlocks())
                            : NOT_COUNTED);
        }
        boolean isSelf = self.dirtyBlocks() < peer.dirtyBlocks();
        return (isSelf ? peer : self).isCounted() ? one(isSelf) : nobody(NOT_COUNTED);
    }

    private static Decision byTime(long self, long peer) {
        if (self <= 0 || peer <= 0) {
            return nobody("since when one of them was written alone is not known");
        }
        long later = Math.max(self, peer);
        long earlier = Math.min(self, peer);
        return later - earlier < CLOCKS_APART
                ? nobody("they were written alone since moments less than %d s apart".formatted(CLOCKS_APART / 1_000))
                : one(self == later);
    }

    private static Decision one(boolean isSelf) {
        return new Decision(isSelf ? Yields.SELF : Yields.PEER, "");
    }

    private static Decision nobody(String why) {
        return new Decision(Yields.NOBODY, why);
    }
}

package io.tidemark.replication.live;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

/**
 * What two copies that meet are to each other, by their generations alone: DRBD's decision (drbd_uuid_compare, DRBD 8.4
 * and 9), as a pure function. It never chooses between two histories.
 */
public final class Handshake {

    /**
     * One side as it comes to meet the other.
     *
     * @param isCrashedPrimary it was primary and connected to the other when it died: blocks of its activity log, which are
     *     among its dirty bits by now, may be what the other lacks though their generation is the same
     * @param isPrimary it is primary now
     */
    public record Side(CopyId id, Generations generations, boolean isCrashedPrimary, boolean isPrimary) {}

    /** How much a resync looks at. */
    public enum Extent {
        /** The dirty bits of both sides together. */
        BITMAP,
        /** All of the volume. */
        FULL
    }

    /** What this side is to the other. */
    public sealed interface Verdict {
        /** Both have the same content. */
        record InStep() implements Verdict {}

        /** The other is brought up to this. */
        record Source(Extent extent) implements Verdict {}

        /** This is brought up to the other; what this alone has was never acknowledged under protocol C. */
        record Target(Extent extent) implements Verdict {}

        /**
         * Both were written without the other. Nothing is done before somebody has chosen.
         *
         * @param common the newest generation that both come from, where the dirty bits of both sides together are all that
         *     differs since; empty: they have a past in common, and nobody knows what differs
         */
        record SplitBrain(Optional<Generation> common) implements Verdict {}

        /** They never were copies of one volume. */
        record Unrelated() implements Verdict {}
    }

    private Handshake() {}

    /** The other side's verdict of the same two is the mirror of this one. */
    public static Verdict decide(Side self, Side peer) {
        var mine = self.generations();
        var theirs = peer.generations();
        if (mine.current().isEmpty() && theirs.current().isEmpty()) {
            return new Verdict.InStep();
        }
        if (mine.current().isEmpty()) {
            return new Verdict.Target(Extent.FULL);
        }
        if (theirs.current().isEmpty()) {
            return new Verdict.Source(Extent.FULL);
        }
        var here = mine.current().get();
        var there = theirs.current().get();
        if (here.equals(there)) {
            return equal(self, peer, here);
        }
        var basesHere = mine.basesOf(peer.id());
        var basesThere = theirs.basesOf(self.id());
        if (basesThere.contains(here)) {
            return new Verdict.Target(Extent.BITMAP);
        }
        if (basesHere.contains(there)) {
            return new Verdict.Source(Extent.BITMAP);
        }
        if (theirs.history().contains(here)) {
            return new Verdict.Target(Extent.FULL);
        }
        if (mine.history().contains(there)) {
            return new Verdict.Source(Extent.FULL);
        }
        return apart(mine, basesHere, theirs, basesThere);
    }

    private static Verdict equal(Side self, Side peer, Generation current) {
        if (self.isCrashedPrimary() && peer.isCrashedPrimary()) {
            // Two primaries of one generation: DRBD takes the side that some flag says.
            return new Verdict.SplitBrain(Optional.of(current));
        }
        if (peer.isPrimary() && !self.isPrimary() && self.isCrashedPrimary()) {
            // Promoted since, and read by its clients: what the dead primary had under way was never acknowledged.
            return new Verdict.Target(Extent.BITMAP);
        }
        if (self.isPrimary() && !peer.isPrimary() && peer.isCrashedPrimary()) {
            return new Verdict.Source(Extent.BITMAP);
        }
        if (self.isCrashedPrimary()) {
            return new Verdict.Source(Extent.BITMAP);
        }
        return peer.isCrashedPrimary() ? new Verdict.Target(Extent.BITMAP) : new Verdict.InStep();
    }

    private static Verdict apart(
            Generations mine, List<Generation> basesHere, Generations theirs, List<Generation> basesThere) {
        var common = new ArrayList<>(basesHere);
        common.retainAll(basesThere);
        if (!common.isEmpty()) {
            return new Verdict.SplitBrain(Optional.of(common.getLast()));
        }
        var past = new HashSet<>(mine.history());
        past.addAll(basesHere);
        boolean isRelated = theirs.history().stream().anyMatch(past::contains)
                || basesThere.stream().anyMatch(past::contains);
        return isRelated ? new Verdict.SplitBrain(Optional.empty()) : new Verdict.Unrelated();
    }
}

package io.tidemark.domain;

import io.tidemark.spi.SnapshotId;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The proof behind a recovery point's consistency. All times are CLOCK_MONOTONIC nanoseconds of one boot of one host;
 * they order events and are compared with nothing else.
 *
 * @param bootId {@code /proc/sys/kernel/random/boot_id} of the host
 * @param reasons why the consistency is not higher, one phrase each; empty when nothing was left to want
 * @param order present where other hosts were cut together with this one
 */
public record Certificate(
        String host,
        String bootId,
        List<Freeze> freezes,
        List<CutTimes> cuts,
        boolean atomicCut,
        List<String> reasons,
        Optional<Order> order) {

    /** Of one host that was cut alone. */
    public Certificate(
            String host,
            String bootId,
            List<Freeze> freezes,
            List<CutTimes> cuts,
            boolean atomicCut,
            List<String> reasons) {
        this(host, bootId, freezes, cuts, atomicCut, reasons, Optional.empty());
    }

    /**
     * What ties the hosts of one recovery point together, where no clock does. Each host draws two marks that nobody can
     * guess, and tells one only when all that it freezes is frozen, the other only when all of it is cut. Who knows the
     * marks of the others was therefore told them afterwards: a host cuts once it knows {@code frozenMark} of all, and
     * thaws once it knows {@code cutMark} of all.
     *
     * @param agent as its controller names the host; {@link #HERE} for the controller's own
     * @param frozenMark 32 hex digits, told when this host was frozen
     * @param cutMark 32 hex digits, told when this host was cut
     * @param frozenBefore by host, this one too: what it was told before its first cut
     * @param cutBefore by host, this one too: what it was told before its first thaw
     */
    public record Order(
            String agent,
            String frozenMark,
            String cutMark,
            Map<String, String> frozenBefore,
            Map<String, String> cutBefore) {
        /** The controller's own host, in place of an agent's name. */
        public static final String HERE = "local";

        public Order {
            Objects.requireNonNull(agent, "agent");
            Objects.requireNonNull(frozenMark, "frozenMark");
            Objects.requireNonNull(cutMark, "cutMark");
            frozenBefore = Map.copyOf(frozenBefore);
            cutBefore = Map.copyOf(cutBefore);
        }
    }

    /** {@link Freeze#kind()} of a frozen file system. */
    public static final String FILE_SYSTEM = "filesystem";

    /**
     * One thing that was frozen.
     *
     * @param kind {@link #FILE_SYSTEM}, or a quiescer's kind
     * @param subject mount point, or the database's address without secrets
     * @param requestedNanos when it was asked to freeze: writers may be held from here on
     * @param acknowledgedNanos when the freeze was known to hold
     * @param thawedNanos when it was asked to end
     * @param releasedNanos when writers were known to go on
     * @param heldUntilThaw whether it answered, after the last cut, that it had held without a break
     * @param facts versions, positions (LSN), for people
     */
    public record Freeze(
            String kind,
            String subject,
            long requestedNanos,
            long acknowledgedNanos,
            long thawedNanos,
            long releasedNanos,
            boolean heldUntilThaw,
            Map<String, String> facts) {
        public Freeze {
            Objects.requireNonNull(kind, "kind");
            Objects.requireNonNull(subject, "subject");
            facts = Map.copyOf(facts);
        }

        /** The same freeze, which did not hold or could not prove that it had. */
        public Freeze notHeld() {
            return new Freeze(
                    kind, subject, requestedNanos, acknowledgedNanos, thawedNanos, releasedNanos, false, facts);
        }
    }

    public record CutTimes(SnapshotId snapshot, long startedNanos, long finishedNanos) {
        public CutTimes {
            Objects.requireNonNull(snapshot, "snapshot");
        }
    }

    public Certificate {
        Objects.requireNonNull(host, "host");
        Objects.requireNonNull(bootId, "bootId");
        freezes = List.copyOf(freezes);
        cuts = List.copyOf(cuts);
        reasons = List.copyOf(reasons);
        Objects.requireNonNull(order, "order");
    }

    /** Whether last freeze acknowledgement &lt; every cut &lt; first thaw, and every freeze held. */
    public boolean everyCutLiesInsideEveryFreeze() {
        long lastFreeze =
                freezes.stream().mapToLong(Freeze::acknowledgedNanos).max().orElse(Long.MIN_VALUE);
        long firstThaw = freezes.stream().mapToLong(Freeze::thawedNanos).min().orElse(Long.MAX_VALUE);
        return freezes.stream().allMatch(Freeze::heldUntilThaw)
                && cuts.stream().allMatch(cut -> lastFreeze < cut.startedNanos() && cut.finishedNanos() < firstThaw);
    }

    /** From the first request to freeze a file system to the last release; empty when none was frozen. */
    public OptionalLong freezeWindowNanos() {
        var fileSystems = freezes.stream()
                .filter(freeze -> freeze.kind().equals(FILE_SYSTEM))
                .toList();
        if (fileSystems.isEmpty()) {
            return OptionalLong.empty();
        }
        long first =
                fileSystems.stream().mapToLong(Freeze::requestedNanos).min().orElseThrow();
        long last = fileSystems.stream().mapToLong(Freeze::releasedNanos).max().orElseThrow();
        return OptionalLong.of(last - first);
    }
}

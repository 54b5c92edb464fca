package io.tidemark.policy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What a schedule would cost a month once it keeps all it is to keep. An estimate: it takes each interval to change other
 * blocks than the one before, so that storage is estimated high, and knows no discounts, minimum terms or taxes. Pure.
 */
public final class CostEstimate {
    private static final double GIB = 1L << 30;
    private static final double BLOCK_BYTES = 512 << 10;
    /** The clouds bill by months of about so many hours. */
    private static final Duration MONTH = Duration.ofHours(730);

    private CostEstimate() {}

    /**
     * What is kept.
     *
     * @param usedBytes of each volume, what its first snapshot holds
     * @param changedBytes of each volume, between two snapshots
     * @param copies other regions into which each snapshot is copied
     * @param readOut whether each snapshot's changes are read out of the cloud, as a link from it does
     * @param writtenIn whether each is written into the cloud block by block, as a link into it does
     */
    public record Workload(
            SnapshotSchedule schedule,
            long usedBytes,
            long changedBytes,
            int copies,
            boolean readOut,
            boolean writtenIn) {
        public Workload {
            if (usedBytes < 0 || changedBytes < 0 || copies < 0) {
                throw new IllegalArgumentException("a size or a number of copies is negative");
            }
        }
    }

    /** Prices in one currency; absent where none is known: what it would price is named, and not counted. */
    public record Prices(
            OptionalDouble storageGibMonth,
            OptionalDouble copyGib,
            OptionalDouble egressGib,
            OptionalDouble readThousandBlocks,
            OptionalDouble writeThousandBlocks) {}

    /** @param monthly empty where there is no price */
    public record Line(String what, double quantity, String unit, Optional<Double> monthly) {}

    public static List<Line> of(Workload work, Prices prices) {
        double cuts = (double) MONTH.toMillis() / work.schedule().every().toMillis();
        int volumes = work.schedule().volumes();
        double stored = Math.min(
                        work.usedBytes() + (work.schedule().keep() - 1.0) * work.changedBytes(),
                        (double) work.schedule().keep() * work.usedBytes())
                / GIB
                * volumes;
        double changed = work.changedBytes() / GIB * cuts * volumes;
        double blocks = Math.ceil(work.changedBytes() / BLOCK_BYTES) * cuts * volumes / 1000;
        var lines = new ArrayList<Line>();
        add(lines, "snapshots kept", stored * (1 + work.copies()), "GiB", prices.storageGibMonth());
        if (work.copies() > 0) {
            add(lines, "copied to other regions", changed * work.copies(), "GiB", prices.copyGib());
        }
        if (work.readOut()) {
            add(lines, "read out of the cloud", changed, "GiB", prices.egressGib());
            add(lines, "blocks read", blocks, "thousand", prices.readThousandBlocks());
        }
        if (work.writtenIn()) {
            add(lines, "blocks written", blocks, "thousand", prices.writeThousandBlocks());
        }
        return lines;
    }

    private static void add(List<Line> lines, String what, double quantity, String unit, OptionalDouble price) {
        var monthly = price.isPresent() ? Optional.of(quantity * price.getAsDouble()) : Optional.<Double>empty();
        lines.add(new Line(what, quantity, unit, monthly));
    }
}

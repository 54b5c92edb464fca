package io.tidemark.provider.image;

import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How long cuts will take: from constants at first, then from each volume's own last cut. What a cut's time grows with
 * ("work") is the number of extents for reflinks and of allocated bytes for copies.
 */
final class CutCosts {
    /**
     * A subvolume's snapshot flushes what is dirty and commits a transaction: measured 4 ms with nothing dirty, 13 to
     * 76 ms with 2,000 random writes a second into the image (docs/design/image-provider.md, figures).
     */
    private static final Duration SUBVOLUME = Duration.ofMillis(80);

    /** Measured 10 to 16 microseconds an extent on XFS and Btrfs at 30 to 95 thousand extents (same page). */
    private static final double REFLINK_NANOS_AN_EXTENT = 13_000;

    /** Flushing, syncing and renaming the new file. */
    private static final Duration REFLINK_BASE = Duration.ofMillis(20);

    /** A slow disk's 100 MB/s until a copy was measured. */
    private static final long COPY_BYTES_A_SECOND = 100_000_000;

    /** A single cut says little about the rate when there was next to nothing to do. */
    private static final long EXTENTS_TO_LEARN_FROM = 1_000;

    private static final long BYTES_TO_LEARN_FROM = 16 << 20;

    private static final double NANOS_A_SECOND = 1e9;

    /** @param nanosAUnit of work; for subvolumes of the whole cut */
    private record Learned(CutMethod method, double nanosAUnit) {}

    private final Map<VolumeId, Learned> learned = new ConcurrentHashMap<>();
    private final Map<VolumeId, Long> announced = new ConcurrentHashMap<>();

    Duration expected(ImageVolume volume, long work) {
        announced.put(volume.id(), work);
        var last = Optional.ofNullable(learned.get(volume.id()))
                .filter(one -> one.method() == volume.method())
                .map(Learned::nanosAUnit);
        return switch (volume.method()) {
            // The next cut may find more to flush than the last one did: never promise less than a third.
            case SUBVOLUME ->
                last.map(nanos -> atLeast(SUBVOLUME.dividedBy(3), Duration.ofNanos(nanos.longValue())))
                        .orElse(SUBVOLUME);
            case REFLINK -> REFLINK_BASE.plusNanos((long) (work * last.orElse(REFLINK_NANOS_AN_EXTENT)));
            case COPY -> REFLINK_BASE.plusNanos((long) (work * last.orElse(NANOS_A_SECOND / COPY_BYTES_A_SECOND)));
        };
    }

    private static Duration atLeast(Duration floor, Duration value) {
        return value.compareTo(floor) > 0 ? value : floor;
    }

    /** What the last forecast counted, which the cut that follows is measured against. */
    OptionalLong announced(VolumeId volume) {
        var work = announced.get(volume);
        return work == null ? OptionalLong.empty() : OptionalLong.of(work);
    }

    void measured(ImageVolume volume, long work, Duration took) {
        boolean telling = switch (volume.method()) {
            case SUBVOLUME -> true;
            case REFLINK -> work >= EXTENTS_TO_LEARN_FROM;
            case COPY -> work >= BYTES_TO_LEARN_FROM;
        };
        if (telling) {
            double units = volume.method() == CutMethod.SUBVOLUME ? 1 : work;
            learned.put(volume.id(), new Learned(volume.method(), took.toNanos() / units));
        }
    }

    String note(ImageVolume volume, long work, Duration expected) {
        var rests = learned.containsKey(volume.id()) ? "its last cut" : "figures of other machines";
        var what = switch (volume.method()) {
            case SUBVOLUME -> "Btrfs snapshot of its own subvolume";
            case REFLINK -> "reflink of %,d extents".formatted(work);
            case COPY -> "sparse copy of %,d bytes, of one instant only if all writers are frozen".formatted(work);
        };
        return "%s: %s, about %d ms by %s".formatted(volume.id(), what, expected.toMillis(), rests);
    }
}

package io.tidemark.provider.cloud;

import io.tidemark.spi.BadSetting;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.PublishedLimit;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Which volumes may be cut now: a cut that the cloud would refuse for its rate is refused before writers are held. What
 * counts is what this process has cut, and what the cloud has refused it; a process that was started again knows of
 * neither, and is refused by the cloud. A cut that is early by little is let pass, for a schedule of exactly the rate has
 * jitter; the cloud may refuse it. Safe for several threads.
 */
public final class CutRates {
    /** The setting: {@code keep}, which it is without it, or {@code ignore}, for accounts that may more. */
    public static final String SETTING = "publishedRates";

    /** Volumes whose cuts are remembered; of more the one that was cut longest ago is forgotten. */
    static final int VOLUMES_MAXIMUM = 100_000;

    /** How early a cut may be, as a part of the limit's time. */
    private static final int EARLY_PART = 20;

    private static final Duration EARLY_MAXIMUM = Duration.ofSeconds(60);

    private final Optional<PublishedLimit> limit;
    private final String refusal;
    private final LongSupplier nanos;
    /** In order of their last cut. */
    private final Map<VolumeId, ArrayDeque<Long>> cuts = new LinkedHashMap<>();
    /** Until when the cloud takes none, in order of the refusals. */
    private final Map<VolumeId, Long> refusals = new LinkedHashMap<>();

    /**
     * @param limit a rate of cuts of one volume; none: only refusals count
     * @param refusal the holder of a {@link ProviderError.Busy} that says that the cloud refused a cut for its rate
     * @param nanos a clock that never goes back, ns
     */
    public CutRates(Optional<PublishedLimit> limit, String refusal, LongSupplier nanos) {
        this.limit = limit;
        this.refusal = refusal;
        this.nanos = nanos;
    }

    /**
     * The setting's value.
     *
     * @return whether the published rate is kept
     * @throws BadSetting where it is neither word
     */
    public static boolean isKept(Map<String, String> settings) {
        var value = settings.getOrDefault(SETTING, "keep");
        return switch (value) {
            case "keep" -> true;
            case "ignore" -> false;
            default -> throw new BadSetting(SETTING, "%s is keep or ignore, not \"%s\"".formatted(SETTING, value));
        };
    }

    /** @throws ProviderException Busy, with the time after which the first of them that is not free may be cut */
    public synchronized void allow(Collection<VolumeId> volumes) throws ProviderException {
        long now = nanos.getAsLong();
        for (var each : volumes) {
            long refused = refusals.getOrDefault(each, now) - now;
            if (refused > 0) {
                throw busy(each, refusal, seconds(refused));
            }
            if (limit.isPresent()) {
                long wait = untilFree(each, limit.get(), now);
                if (wait > early(limit.get()).toNanos()) {
                    throw busy(each, named(limit.get(), seconds(wait)), seconds(wait));
                }
            }
        }
    }

    /** Counts cuts that the cloud is asked for, before it is. */
    public synchronized void begun(Collection<VolumeId> volumes) {
        long now = nanos.getAsLong();
        limit.ifPresent(kept -> volumes.forEach(each -> {
            var times = Optional.ofNullable(cuts.remove(each)).orElseGet(ArrayDeque::new);
            times.addLast(now);
            // One more than counts, for a cut that is refused does not.
            if (times.size() > kept.count() + 1) {
                times.removeFirst();
            }
            cuts.put(each, times);
            prune(cuts);
        }));
    }

    /**
     * The cloud was asked for cuts of these, counted by {@link #begun}, and for none of them it answered that it is
     * made. An answer takes them out of the count; one that refuses them for their rate is kept in mind for its time.
     */
    public synchronized void failed(Collection<VolumeId> volumes, ProviderException failure) {
        if (!(failure.error() instanceof ProviderError.Unreachable)) {
            volumes.forEach(each -> Optional.ofNullable(cuts.get(each)).ifPresent(ArrayDeque::pollLast));
        }
        if (failure.error() instanceof ProviderError.Busy busy && busy.holder().equals(refusal)) {
            long until = nanos.getAsLong() + busy.retryAfter().toNanos();
            volumes.forEach(each -> {
                refusals.remove(each);
                refusals.put(each, until);
                prune(refusals);
            });
        }
    }

    private static void prune(Map<VolumeId, ?> all) {
        if (all.size() > VOLUMES_MAXIMUM) {
            all.remove(all.keySet().iterator().next());
        }
    }

    private long untilFree(VolumeId volume, PublishedLimit kept, long now) {
        var times = cuts.get(volume);
        if (times == null || times.size() < kept.count()) {
            return 0;
        }
        long oldest =
                times.stream().skip(times.size() - kept.count()).findFirst().orElseThrow();
        return oldest + kept.per().toNanos() - now;
    }

    private static Duration early(PublishedLimit kept) {
        var part = kept.per().dividedBy(EARLY_PART);
        return part.compareTo(EARLY_MAXIMUM) < 0 ? part : EARLY_MAXIMUM;
    }

    private static String named(PublishedLimit kept, Duration wait) {
        return "the limit of %d cuts in %d s (%s): it may be cut again in %d s, or at once with the setting %s: ignore"
                .formatted(kept.count(), kept.per().toSeconds(), kept.source(), wait.toSeconds(), SETTING);
    }

    /** Whole ones, not fewer. */
    private static Duration seconds(long nanos) {
        return Duration.ofSeconds(Duration.ofNanos(nanos).plusMillis(999).toSeconds());
    }

    private static ProviderException busy(VolumeId volume, String holder, Duration wait) {
        return new ProviderException(new ProviderError.Busy(volume.toString(), holder, wait));
    }
}

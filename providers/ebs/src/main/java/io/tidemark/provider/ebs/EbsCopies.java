package io.tidemark.provider.ebs;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.provider.ebs.Ec2Calls.Uncertain;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.Step;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Copies into this region. CopySnapshot knows no token, so a copy is looked for by its tags before it is asked for and where
 * an answer is missing; one that may have been asked for and is not seen is waited for, as long as it may appear. Where there
 * are two all the same, the later one is deleted.
 */
final class EbsCopies {
    private static final Duration ASK_AGAIN = Duration.ofSeconds(15);
    /** An id, an alias or an ARN, as a tag's value: EC2 User Guide, "Tag restrictions". */
    private static final Pattern KEY_FORM = Pattern.compile("[A-Za-z0-9:/_-]{2,255}");

    private static final int PAGES_MAXIMUM = 100;
    /** What EC2 calls the volume of a copy. */
    private static final String NO_VOLUME = "vol-ffffffff";

    private final Ec2Calls ec2;
    private final Attempts attempts;
    private final SnapshotFinder finder;
    private final RecentEffects recent;
    private final EbsConfig config;
    private final InstantSource clock;
    private final CopyQueue queue;

    /**
     * A copy that is asked for.
     *
     * @param id what the copy is called here
     * @param source Amazon's id of what is copied
     */
    record Wanted(SnapshotId id, String region, String source, long sizeBytes, Optional<String> key) {
        String origin() {
            return region + "/" + source;
        }
    }

    /** What a copy is about. */
    enum Phase {
        WAITS,
        MAY_EXIST,
        COPIES
    }

    EbsCopies(
            Ec2Calls ec2,
            Attempts attempts,
            SnapshotFinder finder,
            RecentEffects recent,
            EbsConfig config,
            InstantSource clock) {
        this.ec2 = ec2;
        this.attempts = attempts;
        this.finder = finder;
        this.recent = recent;
        this.config = config;
        this.clock = clock;
        this.queue = new CopyQueue(config.copiesMaximum(), clock);
    }

    /** @throws ProviderException Conflict, naming the key */
    static void checkKey(String key) throws ProviderException {
        if (!KEY_FORM.matcher(key).matches()) {
            throw new ProviderException(new ProviderError.Conflict(
                    "key \"%s\"".formatted(key),
                    "an id, alias/NAME or ARN of a key of KMS in the copy's region has 2 to 255 characters of"
                            + " [A-Za-z0-9:/_-]"));
        }
    }

    String phase(Phase phase) {
        return switch (phase) {
            case WAITS -> "waits for one of %d copies into %s".formatted(queue.places(), config.region());
            case MAY_EXIST ->
                "waits up to %d min whether an earlier request has made it already"
                        .formatted(RecentEffects.VISIBLE_WITHIN.toMinutes());
            case COPIES -> "is copied by Amazon";
        };
    }

    Step<Snapshot> step(Wanted wanted) throws ProviderException {
        var found = finder.all(wanted.id());
        if (!found.isEmpty()) {
            recent.certain(wanted.id());
            return stepOf(wanted, found);
        }
        if (recent.mayAppearUntil(wanted.id()).isPresent()) {
            return running(wanted, Phase.MAY_EXIST, 0);
        }
        if (queue.isCountWanted()) {
            queue.counted(underWay());
        }
        return queue.enter(wanted.id()) ? begun(wanted) : running(wanted, Phase.WAITS, 0);
    }

    private Step<Snapshot> stepOf(Wanted wanted, List<CloudSnapshot> found) throws ProviderException {
        refuseOther(wanted, found);
        var kept = found.stream()
                .filter(each -> !each.state().equals("error"))
                .min(Comparator.comparing(CloudSnapshot::startedAt).thenComparing(CloudSnapshot::id));
        boolean left = false;
        for (var each : found) {
            boolean isKept = kept.isPresent() && kept.get().id().equals(each.id());
            if (!isKept) {
                left |= !deleted(each);
            }
        }
        if (kept.isEmpty()) {
            queue.left(wanted.id());
            if (left) {
                return running(wanted, Phase.COPIES, 0);
            }
            throw new ProviderException(new ProviderError.Corrupt(
                    wanted.id().toString(),
                    "Amazon's copy of %s ended in error and is deleted: %s"
                            .formatted(
                                    wanted.origin(), SnapshotFinder.last(found).message())));
        }
        var copy = kept.get();
        // What was seen may be unseen the next time: then it is remembered, and not made again.
        recent.made(copy);
        if (left || !copy.state().equals("completed")) {
            return running(wanted, Phase.COPIES, copy.progress());
        }
        queue.left(wanted.id());
        return new Step.Done<>(new Snapshot(wanted.id(), copy.sizeBytes(), copy.startedAt()));
    }

    private void refuseOther(Wanted wanted, List<CloudSnapshot> found) throws ProviderException {
        for (var each : found) {
            if (each.id().equals(wanted.source())) {
                throw new ProviderException(new ProviderError.Conflict(
                        wanted.id().toString(),
                        "it is the source itself: both providers are of one account and region; name one of another"));
            }
            var origin = Optional.ofNullable(each.tags().get(EbsNames.COPY_OF));
            if (!origin.equals(Optional.of(wanted.origin()))) {
                throw new ProviderException(new ProviderError.Conflict(
                        wanted.id().toString(),
                        "it exists, and is %s, not of %s; delete it first"
                                .formatted(
                                        origin.map(text -> "a copy of " + text).orElse("no copy"), wanted.origin())));
            }
            var key = Optional.ofNullable(each.tags().get(EbsNames.COPY_KEY));
            if (!key.equals(wanted.key())) {
                throw new ProviderException(new ProviderError.Conflict(
                        wanted.id().toString(),
                        "it exists, made with %s; delete it first"
                                .formatted(key.map(text -> "key " + text).orElse("no key named"))));
            }
        }
    }

    /** @return false where Amazon does not know yet what it has told of */
    private boolean deleted(CloudSnapshot copy) throws ProviderException {
        boolean done = attempts.until(() -> ec2.deleteSnapshot(copy.id())) || !recent.isMade(copy.id());
        if (done) {
            recent.deleted(copy.id());
        }
        return done;
    }

    private Step<Snapshot> begun(Wanted wanted) throws ProviderException {
        var tags = EbsNames.tagsOf(config.installation(), wanted.id());
        tags.put(EbsNames.COPY_OF, wanted.origin());
        if (wanted.sizeBytes() % CloudSnapshot.GIB != 0) {
            // Of a chain: at Amazon it has whole GiB, and so has its copy.
            tags.put(EbsNames.SIZE, String.valueOf(wanted.sizeBytes()));
        }
        wanted.key().ifPresent(key -> tags.put(EbsNames.COPY_KEY, key));
        try {
            var id = ec2.copySnapshot(wanted.region(), wanted.source(), config.region(), wanted.key(), tags);
            recent.made(made(wanted, id, tags));
            return running(wanted, Phase.COPIES, 0);
        } catch (Uncertain e) {
            recent.uncertain(wanted.id());
            return running(wanted, Phase.MAY_EXIST, 0);
        } catch (ProviderException e) {
            if (e.error() instanceof ProviderError.Busy) {
                // Copies of others are under way too, or calls are too many: it was not made, and is asked for again.
                queue.refused(wanted.id());
                return running(wanted, Phase.WAITS, 0);
            }
            queue.left(wanted.id());
            throw e;
        }
    }

    private CloudSnapshot made(Wanted wanted, String id, Map<String, String> tags) {
        return new CloudSnapshot(
                id, NO_VOLUME, wanted.sizeBytes(), "pending", 0, "", "standard", clock.instant(), tags);
    }

    /** Our copies that Amazon is at. */
    private List<SnapshotId> underWay() throws ProviderException {
        var filters = new LinkedHashMap<String, String>();
        filters.put("tag:" + EbsNames.INSTALLATION, config.installation());
        filters.put("status", "pending");
        var under = new ArrayList<SnapshotId>();
        Optional<String> next = Optional.empty();
        for (int page = 0; page < PAGES_MAXIMUM; page++) {
            var token = next;
            var answer = attempts.until(() -> ec2.snapshots(filters, token));
            for (var each : answer.items()) {
                if (each.tags().containsKey(EbsNames.COPY_OF)) {
                    finder.idOf(each).ifPresent(under::add);
                }
            }
            next = answer.next();
            if (next.isEmpty()) {
                return under;
            }
        }
        throw new ProviderException(new ProviderError.Unexpected(
                "DescribeSnapshots", "%d pages and none the last".formatted(PAGES_MAXIMUM)));
    }

    private static Step<Snapshot> running(Wanted wanted, Phase phase, double progress) {
        return new Step.Running<>(EbsHandles.ofCopy(wanted, phase), progress, ASK_AGAIN);
    }
}

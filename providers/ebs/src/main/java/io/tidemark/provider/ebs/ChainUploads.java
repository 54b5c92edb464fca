package io.tidemark.provider.ebs;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.provider.ebs.ChainRecord.Sealed;
import io.tidemark.provider.ebs.DirectCalls.PageExpired;
import io.tidemark.provider.ebs.DirectWrites.UploadEnded;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.Predicate;

/**
 * Brings what was cut to Amazon, a step at a time, each recorded before the next: a process that dies goes on where it was. Of
 * a chain one snapshot after the other, for each is the parent of the next.
 */
final class ChainUploads {
    private static final System.Logger LOG = System.getLogger(ChainUploads.class.getName());

    /** Of one layer by one process, each a snapshot of its own; after a restart there are as many again. */
    static final int ATTEMPTS_MAXIMUM = 3;

    /** So often, and for {@link RecentEffects#VISIBLE_WITHIN}, nothing was found where there is nothing. */
    private static final int MISSING_LOOKS_MINIMUM = 5;

    private static final long GIB = 1L << 30;
    private static final int TOKEN_CHARACTERS = 64;

    private final DirectCalls direct;
    private final DirectWrites writes;
    private final Ec2Calls ec2;
    private final Attempts attempts;
    private final SnapshotFinder finder;
    private final RecentEffects recent;
    private final String installation;
    private final Semaphore permits;
    private final InstantSource clock;
    private final Predicate<String> isBase;
    /** Snapshots by Amazon's name whose blocks were all sent by this process. */
    private final Map<String, Boolean> sent = new ConcurrentHashMap<>();
    /** Deletions that found nothing. */
    private final Map<String, Missing> missing = new ConcurrentHashMap<>();

    /** Why a deletion failed the last time, of each chain: told once. */
    private final Map<VolumeId, String> undeleted = new ConcurrentHashMap<>();

    private final Map<SnapshotId, Integer> ended = new ConcurrentHashMap<>();
    private final Map<SnapshotId, ProviderError> failures = new ConcurrentHashMap<>();

    private record Missing(Instant since, int looks) {
        Missing again() {
            return new Missing(since, looks + 1);
        }
    }

    /** What became of a step. */
    enum Outcome {
        MORE,
        WAIT,
        IDLE
    }

    /** Calls, and what they are made with. */
    record Cloud(
            DirectCalls direct,
            DirectWrites writes,
            Ec2Calls ec2,
            Attempts attempts,
            SnapshotFinder finder,
            RecentEffects recent,
            Semaphore permits,
            InstantSource clock) {}

    /** @param isBase whether any chain lies on the snapshot of that name at Amazon */
    ChainUploads(Cloud cloud, String installation, Predicate<String> isBase) {
        this.direct = cloud.direct();
        this.writes = cloud.writes();
        this.ec2 = cloud.ec2();
        this.attempts = cloud.attempts();
        this.finder = cloud.finder();
        this.recent = cloud.recent();
        this.permits = cloud.permits();
        this.clock = cloud.clock();
        this.installation = installation;
        this.isBase = isBase;
    }

    /** Why a snapshot is not on its way; none: it is, as far as is known. */
    Optional<ProviderError> failure(SnapshotId snapshot) {
        return Optional.ofNullable(failures.get(snapshot));
    }

    /** The last step of the chain failed so. */
    void failed(Chain chain, ProviderError error) {
        if (!error.retryable()) {
            due(chain).ifPresent(id -> failures.put(id, error));
        }
    }

    private static Optional<SnapshotId> due(Chain chain) {
        return chain.record().due().flatMap(Sealed::point).map(point -> new SnapshotId(chain.id(), point));
    }

    Outcome step(Chain chain) throws ProviderException {
        boolean waits = false;
        for (var each : chain.record().abandoned()) {
            if (isGone(chain, () -> discard(chain, each))) {
                chain.update(record -> record.withoutAbandoned(each));
                return Outcome.MORE;
            }
            waits = true;
        }
        for (var each : chain.record().left()) {
            if (!isBase.test(each) && isGone(chain, () -> delete(each))) {
                chain.update(record -> record.withoutLeft(each));
                return Outcome.MORE;
            }
            // One that is another chain's base is looked at again when that chain's changes.
            waits |= !isBase.test(each);
        }
        var due = chain.record().due();
        if (due.isPresent()) {
            return upload(chain, due.get());
        }
        return waits ? Outcome.WAIT : Outcome.IDLE;
    }

    private interface Deletion {
        boolean isDone() throws ProviderException;
    }

    /** One that cannot be deleted now, as what is locked, holds up no upload. */
    private boolean isGone(Chain chain, Deletion deletion) {
        try {
            return deletion.isDone();
        } catch (ProviderException e) {
            var why = e.error().message();
            if (!why.equals(undeleted.put(chain.id(), why))) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        () -> "not deleted, tried again: what was uploaded of %s: %s".formatted(chain.id(), why));
            }
            return false;
        }
    }

    /** @return whether there is none any more */
    boolean delete(String cloudId) throws ProviderException {
        if (attempts.until(() -> ec2.deleteSnapshot(cloudId))) {
            recent.deleted(cloudId);
            return true;
        }
        return isLongMissing(cloudId);
    }

    /** Not seen yet is not absent. */
    private boolean isLongMissing(String name) {
        var now = clock.instant();
        var known = missing.merge(name, new Missing(now, 1), (first, more) -> first.again());
        return known.looks() >= MISSING_LOOKS_MINIMUM
                && !now.isBefore(known.since().plus(RecentEffects.VISIBLE_WITHIN));
    }

    /** Where its id was not heard the same token asks for it. */
    boolean discard(Chain chain, Sealed layer) throws ProviderException {
        if (layer.cloudId().isPresent()) {
            return delete(layer.cloudId().get());
        }
        try {
            return delete(start(chain, layer));
        } catch (UploadEnded e) {
            return discardByTags(chain, layer);
        }
    }

    /**
     * The token was used with another request, as a version of before made it, and nobody heard the id: nothing was sent
     * to it, so that it is not complete.
     */
    private boolean discardByTags(Chain chain, Sealed layer) throws ProviderException {
        var point = layer.point().orElseThrow();
        var record = chain.record();
        var next = record.sealedOf(point).filter(Sealed::isBegun);
        if (next.isPresent() && next.get().cloudId().isEmpty()) {
            // Which of the two is the next attempt's shows when its id is heard.
            return false;
        }
        var found = finder.everythingOf(point).stream()
                .filter(each -> record.name().equals(each.tags().get(EbsNames.VOLUME))
                        && each.chainNumber().equals(OptionalInt.of(layer.number()))
                        && !each.state().equals("completed")
                        && !next.flatMap(Sealed::cloudId).equals(Optional.of(each.id())))
                .toList();
        if (found.isEmpty()) {
            return isLongMissing(token(record, layer, point));
        }
        boolean isGone = true;
        for (var each : found) {
            isGone &= delete(each.id());
        }
        return isGone;
    }

    private Outcome upload(Chain chain, Sealed layer) throws ProviderException {
        var id = new SnapshotId(chain.id(), layer.point().orElseThrow());
        if (isGivenUp(id)) {
            return Outcome.WAIT;
        }
        var outcome = advance(chain, layer);
        if (!isGivenUp(id)) {
            failures.remove(id);
        }
        return outcome;
    }

    private boolean isGivenUp(SnapshotId id) {
        return ended.getOrDefault(id, 0) >= ATTEMPTS_MAXIMUM;
    }

    /** It is deleted: one of the same name is another. */
    void forget(SnapshotId id) {
        failures.remove(id);
        ended.remove(id);
    }

    private Outcome advance(Chain chain, Sealed layer) throws ProviderException {
        if (!layer.isBegun()) {
            // Nobody but the chain's one worker changes its base.
            chain.update(record -> record.current(layer)
                    .map(each -> record.replaced(each.begun(record.base())))
                    .orElse(record));
            return Outcome.MORE;
        }
        try {
            if (layer.cloudId().isEmpty()) {
                var cloudId = start(chain, layer);
                chain.update(record -> record.current(layer)
                        .map(each -> record.replaced(each.named(cloudId)))
                        .orElse(record));
                return Outcome.MORE;
            }
            return send(chain, layer, layer.cloudId().get());
        } catch (UploadEnded e) {
            return end(chain, layer, String.valueOf(e.getCause()));
        }
    }

    private String start(Chain chain, Sealed layer) throws ProviderException, UploadEnded {
        var record = chain.record();
        var point = layer.point().orElseThrow();
        var tags = EbsNames.chainTags(
                installation, new SnapshotId(chain.id(), point), layer.number(), record.sizeBytes(), layer.cutAt());
        long sizeGib = (record.sizeBytes() + GIB - 1) / GIB;
        return writes.start(sizeGib, layer.parent(), token(record, layer, point), tags);
    }

    private String token(ChainRecord record, Sealed layer, RecoveryPointId point) {
        var text = "%s %s %s %s %d %d"
                .formatted(installation, record.name(), record.life(), point, layer.number(), layer.attempt());
        var digest = DirectCalls.digestOf(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
        return HexFormat.of().formatHex(digest).substring(0, TOKEN_CHARACTERS);
    }

    private Outcome send(Chain chain, Sealed layer, String cloudId) throws ProviderException, UploadEnded {
        if (!sent.containsKey(cloudId)) {
            try {
                new ChainUpload(writes, permits, chain, layer).run();
            } catch (UploadEnded e) {
                var now = chain.record().current(layer);
                if (now.isEmpty() || !now.get().completing()) {
                    throw e;
                }
                // Perhaps because it is completed, and the answer was lost.
            }
            sent.put(cloudId, true);
            return Outcome.MORE;
        }
        return watch(chain, layer, cloudId);
    }

    private Outcome watch(Chain chain, Sealed layer, String cloudId) throws ProviderException, UploadEnded {
        var seen = finder.everythingOf(layer.point().orElseThrow()).stream()
                .filter(each -> each.id().equals(cloudId))
                .findFirst();
        if (seen.isEmpty()) {
            return Outcome.WAIT;
        }
        return switch (seen.get().state()) {
            case "completed" -> finish(chain, layer, seen.get());
            case "error" -> end(chain, layer, seen.get().message());
            default -> Outcome.WAIT;
        };
    }

    private Outcome end(Chain chain, Sealed layer, String why) throws ProviderException {
        var id = new SnapshotId(chain.id(), layer.point().orElseThrow());
        if (chain.record().current(layer).isEmpty()) {
            return Outcome.MORE;
        }
        chain.update(record -> record.current(layer).map(record::failed).orElse(record));
        if (ended.merge(id, 1, Integer::sum) >= ATTEMPTS_MAXIMUM) {
            failures.put(
                    id,
                    new ProviderError.Unexpected(
                            "upload of " + id,
                            "%d snapshots in a row ended in error, the last: %s; its bytes are kept in staging, a restart"
                                            .formatted(ATTEMPTS_MAXIMUM, why)
                                    + " tries again, and when it is deleted the next one has its blocks"));
        }
        return Outcome.MORE;
    }

    /** EC2 may call it completed before the calls that read know it (coldsnap, issue 141): those are asked too. */
    private Outcome finish(Chain chain, Sealed layer, CloudSnapshot snapshot) throws ProviderException {
        try {
            var unused = direct.list(snapshot.id(), 0, Optional.empty());
        } catch (PageExpired e) {
            // Among empty pages: looked at again.
            return Outcome.WAIT;
        }
        var tags = new LinkedHashMap<String, String>();
        layer.holds().forEach(owner -> tags.put(EbsNames.HOLD + owner, ""));
        if (!tags.isEmpty()) {
            attempts.until(() -> {
                ec2.tag(snapshot.id(), tags);
                return true;
            });
        }
        recent.made(snapshot);
        tags.keySet().forEach(key -> recent.tagged(snapshot.id(), key, Optional.of("")));
        for (var owner : SnapshotFinder.holdsOf(snapshot)) {
            // Tagged at an earlier look, and released since.
            if (!layer.holds().contains(owner)) {
                var key = EbsNames.HOLD + owner;
                attempts.until(() -> {
                    ec2.untag(snapshot.id(), key);
                    return true;
                });
                recent.tagged(snapshot.id(), key, Optional.empty());
            }
        }
        if (chain.completed(layer, snapshot.id())) {
            failures.remove(new SnapshotId(chain.id(), layer.point().orElseThrow()));
        }
        return Outcome.MORE;
    }
}

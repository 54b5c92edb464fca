package io.tidemark.provider.ebs;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecycleBin;
import io.tidemark.spi.SnapshotId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The recycle bin, where the account has a rule for snapshots. It lists no tags: what is ours, and of which volume and recovery
 * point, is in the description.
 */
final class EbsRecycleBin implements RecycleBin {
    private static final int PAGES_MAXIMUM = 1_000;

    private final Ec2Calls ec2;
    private final ProtectionCalls calls;
    private final Attempts attempts;
    private final SnapshotFinder finder;
    private final RecentEffects recent;
    private final EbsConfig config;
    private final UploadedSnapshots.Guard guard;

    private record Found(SnapshotId id, ProtectionCalls.Deleted deleted) {}

    EbsRecycleBin(
            Ec2Calls ec2,
            ProtectionCalls calls,
            Attempts attempts,
            SnapshotFinder finder,
            RecentEffects recent,
            EbsConfig config,
            UploadedSnapshots.Guard guard) {
        this.ec2 = ec2;
        this.calls = calls;
        this.attempts = attempts;
        this.finder = finder;
        this.recent = recent;
        this.config = config;
        this.guard = guard;
    }

    @Override
    public List<Binned> binned() throws ProviderException {
        return listed().stream()
                .map(each -> new Binned(
                        each.id(), each.deleted().at(), each.deleted().goneAt()))
                .sorted(Comparator.comparing((Binned each) -> each.id().toString())
                        .thenComparing(Binned::deletedAt))
                .toList();
    }

    private List<Found> listed() throws ProviderException {
        var found = new ArrayList<Found>();
        Optional<String> next = Optional.empty();
        for (int page = 0; page < PAGES_MAXIMUM; page++) {
            var token = next;
            var answer = attempts.until(() -> calls.binned(token));
            for (var each : answer.items()) {
                EbsNames.described(config.name(), config.installation(), each.description(), each.volume())
                        .ifPresent(id -> found.add(new Found(id, each)));
            }
            next = answer.next();
            if (next.isEmpty()) {
                return found;
            }
        }
        throw new ProviderException(new ProviderError.Unexpected(
                "ListSnapshotsInRecycleBin", "%d pages and none the last".formatted(PAGES_MAXIMUM)));
    }

    @Override
    public void undelete(SnapshotId snapshot) throws ProviderException {
        synchronized (guard.of(snapshot)) {
            var last = listed().stream()
                    .filter(each -> each.id().equals(snapshot))
                    .map(Found::deleted)
                    .max(Comparator.comparing(ProtectionCalls.Deleted::at));
            if (last.isEmpty() || !finder.all(snapshot).isEmpty()) {
                // It is back, or it was never there.
                var unused = finder.one(snapshot);
                return;
            }
            var id = last.get().id();
            // Before it is asked for: where the answer is lost it is back all the same.
            recent.undeleted(id);
            var unused = attempts.until(() -> {
                if (listed().stream().anyMatch(each -> each.deleted().id().equals(id))) {
                    calls.undelete(id);
                }
                return true;
            });
            name(snapshot, id);
        }
    }

    /** One that chains lay on lost its recovery point's tag when that was deleted, and by it alone it is found. */
    private void name(SnapshotId snapshot, String id) throws ProviderException {
        var tags = Map.of(
                EbsNames.INSTALLATION, config.installation(),
                EbsNames.RECOVERY_POINT, snapshot.recoveryPoint().value(),
                EbsNames.VOLUME, snapshot.volume().name());
        var unused = attempts.until(() -> {
            ec2.tag(id, tags);
            return true;
        });
        tags.forEach((key, value) -> recent.tagged(id, key, Optional.of(value)));
        var seen = attempts.until(() -> ec2.snapshots(Map.of("snapshot-id", id), Optional.empty()));
        seen.items().forEach(each -> recent.made(each.tagged(tags)));
    }
}

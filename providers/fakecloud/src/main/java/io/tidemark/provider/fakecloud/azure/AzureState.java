package io.tidemark.provider.fakecloud.azure;

import io.tidemark.provider.fakecloud.FakeClock;
import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** All that an account holds. Guarded by its lock. */
final class AzureState {
    private static final Duration STUCK = Duration.ofHours(6);

    final FakeAzureSettings settings;
    final FakeClock clock;
    final ReentrantLock lock = new ReentrantLock();
    final NavigableMap<String, FakeDisk> disks = new TreeMap<>();
    final NavigableMap<String, FakeSnapshot> snapshots = new TreeMap<>();
    final NavigableMap<String, FakeCollection> collections = new TreeMap<>();
    final NavigableMap<String, Machine> machines = new TreeMap<>();
    /** Scopes, as keys, with what may not be done there: CanNotDelete or ReadOnly. */
    final Map<String, String> locks = new TreeMap<>();

    final Map<String, LongOperation> operations = new HashMap<>();
    final Map<String, Access> accesses = new HashMap<>();
    final Set<String> expiredTokens = new TreeSet<>();
    /** Who asks before this time has to wait anew. */
    Instant throttledUntil = Instant.EPOCH;

    /** Looks at a snapshot that show its old tags after they were changed. */
    int lateTags;

    /** Calls that came while their caller had been told to wait. */
    long early;

    private long created;

    /** @param disks keys, the first being that of the system */
    record Machine(String id, String location, String size, List<FakeDisk> disks) {}

    /** @param result what its end answers, as JSON; none: 204 */
    record LongOperation(
            Instant begun,
            Instant endsAt,
            boolean failed,
            @Nullable String result) {}

    /** A shared access signature. */
    static final class Access {
        final String resource;
        final String family;
        final Blob blob;
        Instant expiresAt;

        Access(String resource, String family, Blob blob, Instant expiresAt) {
            this.resource = resource;
            this.family = family;
            this.blob = blob;
            this.expiresAt = expiresAt;
        }
    }

    /**
     * @param takenAt of which of two the older is
     * @param upload the disk that is written through it
     * @param isPrivate whether it opens nothing here, which is no private network
     */
    record Blob(
            long sizeBytes,
            NavigableMap<Integer, byte[]> content,
            Instant takenAt,
            @Nullable FakeDisk upload,
            boolean isPrivate) {}

    AzureState(FakeAzureSettings settings) {
        this.settings = settings;
        this.clock = new FakeClock(settings.start());
    }

    Instant now() {
        return clock.instant();
    }

    /** In the form of a UUID, in no order, never twice. */
    String newUuid() {
        created++;
        long mixed = created * 0x9E3779B97F4A7C15L;
        return "%08x-%04x-4000-8000-%012x".formatted((int) mixed, created & 0xffff, (mixed >>> 16) & 0xffffffffffffL);
    }

    String idOf(String group, String type, String name) {
        return "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Compute/%s/%s"
                .formatted(settings.subscription(), group, type, name);
    }

    /** What a new thing suffers from. */
    void befall(FakeResource made, Fault fault, FaultScript script) {
        made.readyAt = now().plus(fault == Fault.STUCK ? STUCK : settings.takes());
        made.failed = fault == Fault.END_IN_ERROR;
        made.invisible = script.invisibleLists(fault);
    }

    void befall(FakeCollection.Point made, Fault fault, FaultScript script) {
        made.readyAt = now().plus(fault == Fault.STUCK ? STUCK : settings.takes());
        made.failed = fault == Fault.END_IN_ERROR;
        made.invisible = script.invisibleLists(fault);
    }

    /** @throws ArmException ScopeLocked */
    void refuseLocked(String id, boolean isDeletion) throws ArmException {
        var key = FakeResource.key(id);
        for (var each : locks.entrySet()) {
            boolean isIn = key.equals(each.getKey()) || key.startsWith(each.getKey() + "/");
            if (isIn && (isDeletion || each.getValue().equals("ReadOnly"))) {
                throw new ArmException(
                        409,
                        "ScopeLocked",
                        ("The scope '%s' cannot perform %s operation because following scope(s) are locked: '%s'."
                                        + " Please remove the lock and try again.")
                                .formatted(id, isDeletion ? "delete" : "write", each.getKey()));
            }
        }
    }

    /** Collections whose deletion has come to its end. */
    void forgetGone() {
        collections.values().removeIf(each -> each.goneAt != null && !now().isBefore(each.goneAt));
    }

    List<Access> active(String resource) {
        return accesses.values().stream()
                .filter(each -> each.resource.equals(resource) && now().isBefore(each.expiresAt))
                .toList();
    }

    long activeOfFamily(String family) {
        return accesses.values().stream()
                .filter(each -> each.family.equals(family) && now().isBefore(each.expiresAt))
                .count();
    }

    void endAccess(String resource) {
        accesses.values().removeIf(each -> each.resource.equals(resource));
    }
}

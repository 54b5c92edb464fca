package io.tidemark.provider.fakecloud.azure;

import io.tidemark.provider.fakecloud.CallCount;
import io.tidemark.provider.fakecloud.CloudCalls;
import io.tidemark.provider.fakecloud.FakeClock;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import io.tidemark.provider.fakecloud.HttpServer;
import io.tidemark.provider.fakecloud.azure.AzureState.Machine;
import io.tidemark.provider.fakecloud.azure.FakeDisk.Kind;
import io.tidemark.provider.fakecloud.azure.FakeSnapshot.Source;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One subscription of Azure, for tests: managed disks, snapshots, restore points, locks, and the page blobs behind
 * access signatures. Credentials are not checked. Time is {@link #clock()} and stands still until a test moves it.
 * Where the published models are at hand every request and every answer is checked by them, and {@link #violations()}
 * must be empty at the end of a test; without them {@link #calls()} says that nothing was checked.
 *
 * <p>Safe for several threads. What it does is documented in {@code docs/design/cloud-fakes.md}.
 */
public final class FakeAzure implements AutoCloseable {
    private final AzureState state;
    private final CloudCalls calls;
    private final AzureEndpoint endpoint;
    private @Nullable HttpServer server;

    private FakeAzure(FakeAzureSettings settings, CloudCalls calls) {
        this.calls = calls;
        state = new AzureState(settings);
        endpoint = new AzureEndpoint(state, calls);
    }

    /** An account that is reached over a port on loopback, too. */
    public static FakeAzure start(FakeAzureSettings settings) {
        var account = new FakeAzure(settings, new CloudCalls());
        try {
            account.server = new HttpServer(account::answer, account.calls::current);
        } catch (IOException e) {
            throw new UncheckedIOException("no port on loopback for a fake subscription", e);
        }
        return account;
    }

    /** An account without a port: asked by {@link #answer} alone. */
    public static FakeAzure inProcess(FakeAzureSettings settings) {
        return new FakeAzure(settings, new CloudCalls());
    }

    /** A new, empty account whose calls are counted with this one's; faults and hooks are this one's, too. */
    public FakeAzure another() {
        return new FakeAzure(state.settings, calls);
    }

    /** What the port would answer. */
    public HttpAnswer answer(HttpRequest request) {
        return calls.confessing(endpoint::answer).apply(request);
    }

    /** @throws IllegalStateException of an account without a port */
    public URI endpoint() {
        if (server == null) {
            throw new IllegalStateException("this account has no port");
        }
        return server.address();
    }

    public FakeClock clock() {
        return state.clock;
    }

    public FakeAzureSettings settings() {
        return state.settings;
    }

    /** An empty Premium SSD in the first region. */
    public FakeDisk createDisk(String group, String name, int sizeGib) {
        return createDisk(group, name, sizeGib, "Premium_LRS");
    }

    public FakeDisk createDisk(String group, String name, int sizeGib, String sku) {
        return createDisk(group, name, sizeGib, sku, state.settings.locations().getFirst());
    }

    public FakeDisk createDisk(String group, String name, int sizeGib, String sku, String location) {
        return locked(() -> {
            var id = state.idOf(group, "disks", name);
            var kind = new Kind(sizeGib, sku, "Empty", null);
            var disk = endpoint.disks().disk(id, location, kind, FakeDisk.nothing());
            state.disks.put(FakeResource.key(id), disk);
            return disk;
        });
    }

    /**
     * Starts a machine with these disks, the first as its system's.
     *
     * @return its id
     */
    public String createMachine(String group, String name, String size, List<FakeDisk> disks) {
        return locked(() -> {
            var id = state.idOf(group, "virtualMachines", name);
            state.machines.put(
                    FakeResource.key(id), new Machine(id, disks.getFirst().location, size, List.copyOf(disks)));
            disks.forEach(each -> each.vm = id);
            return id;
        });
    }

    /** As somebody else takes one, with these tags. */
    public FakeSnapshot createSnapshot(FakeDisk disk, String name, Map<String, String> tags) {
        return locked(() -> {
            var id = state.idOf(disk.group, "snapshots", name);
            var source =
                    new Source(disk.id, disk.uniqueId, disk.uniqueId, disk.sizeGib(), disk.isCopiedLater(), disk, null);
            var made = new FakeSnapshot(
                    id, disk.location, state.newUuid(), state.now(), source, "Copy", true, "Standard_LRS");
            made.tags = new TreeMap<>(tags);
            made.settle(state.now());
            state.snapshots.put(FakeResource.key(id), made);
            return made;
        });
    }

    /**
     * Many disks of 1 GiB in a group, each with so many whole snapshots beside it: an account to list.
     *
     * @param tags of a disk's snapshot, by the disk's name and the snapshot's number; its tag {@code name} is its name
     */
    public void fill(
            String group, int disks, int snapshotsOfEach, BiFunction<String, Integer, Map<String, String>> tags) {
        locked(() -> {
            for (int count = 0; count < disks; count++) {
                var disk = createDisk(group, "disk%06d".formatted(count), 1);
                for (int taken = 0; taken < snapshotsOfEach; taken++) {
                    var wanted = new TreeMap<>(tags.apply(disk.name, taken));
                    var name = String.valueOf(wanted.remove("name"));
                    createSnapshot(disk, name, wanted);
                }
            }
            return disks;
        });
    }

    /**
     * Forbids a deletion, or with ReadOnly any change, of what lies in the scope: a subscription, group or resource.
     *
     * @param level CanNotDelete or ReadOnly
     */
    public void lock(String scope, String level) {
        locked(() -> state.locks.put(FakeResource.key(scope), level));
    }

    public void unlock(String scope) {
        locked(() -> state.locks.remove(FakeResource.key(scope)));
    }

    /** All disks, in order of their ids. */
    public List<FakeDisk> disks() {
        return locked(() -> List.copyOf(state.disks.values()));
    }

    /** All snapshots, in order of their ids: the truth to compare with. */
    public List<FakeSnapshot> snapshots() {
        return locked(() -> List.copyOf(state.snapshots.values()));
    }

    /**
     * As its owner narrows from where it is read.
     *
     * @param policy AllowAll, AllowPrivate or DenyAll
     * @param diskAccess the disk access through which alone it is then read; none of those is here
     */
    public void restrict(FakeSnapshot snapshot, String policy, @Nullable String diskAccess) {
        locked(() -> {
            snapshot.networkAccessPolicy = policy;
            snapshot.diskAccess = diskAccess;
            return true;
        });
    }

    /** From now on the account lacks the right, such as {@code Microsoft.Compute/snapshots/delete}. */
    public void takeAway(String right) {
        endpoint.takeAway(right);
    }

    /** As where the source of a copy that is under way was deleted by somebody else. */
    public void loseSource(FakeSnapshot copy) {
        locked(() -> copy.sourceLost = true);
    }

    /** All collections of restore points, those too that have none. */
    public List<FakeCollection> collections() {
        return locked(() -> {
            state.forgetGone();
            return List.copyOf(state.collections.values());
        });
    }

    /** Signatures that open something now. */
    public int activeAccesses() {
        return locked(() -> (int) state.accesses.values().stream()
                .filter(each -> state.now().isBefore(each.expiresAt))
                .count());
    }

    /** As Azure ends one at its time: all signatures there are open nothing any more. */
    public void expireAccesses() {
        locked(() -> {
            state.accesses.clear();
            return true;
        });
    }

    /** Calls that came though their caller had been told to wait longer. */
    public long earlyCalls() {
        return locked(() -> state.early);
    }

    /** From now on the operation, such as {@code Snapshots_Delete}, is refused to this account. */
    public void deny(String operation) {
        endpoint.deny(operation);
    }

    /** Ends {@link #deny}. */
    public void allow(String operation) {
        endpoint.allow(operation);
    }

    /**
     * A change of a snapshot's tags from now on is answered with 202, and so many looks after it show the old ones; 0:
     * it is done when it is answered.
     */
    public void lateTags(int looks) {
        locked(() -> state.lateTags = looks);
    }

    /** The faults of calls from now on. */
    public void faults(FaultScript script) {
        calls.faults(script);
    }

    /** Runs before each answer, after its effect, with the call's number; what it throws cuts the connection. */
    public void beforeAnswer(LongConsumer hook) {
        calls.beforeAnswer(hook);
    }

    /** What the models found wrong so far, at most 1,000 findings; empty is right. */
    public List<String> violations() {
        return calls.violations();
    }

    /** Calls so far by operation. */
    public Map<String, CallCount> calls() {
        return calls.counts();
    }

    private <T extends @Nullable Object> T locked(Supplier<T> work) {
        state.lock.lock();
        try {
            return work.get();
        } finally {
            state.lock.unlock();
        }
    }

    /** Closes the port, where there is one. */
    @Override
    public void close() {
        if (server != null) {
            try {
                server.close();
            } catch (IOException e) {
                throw new UncheckedIOException("closing a fake subscription", e);
            }
        }
    }
}

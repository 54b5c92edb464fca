package io.tidemark.provider.fakecloud.gce;

import io.tidemark.provider.fakecloud.CallCount;
import io.tidemark.provider.fakecloud.CloudCalls;
import io.tidemark.provider.fakecloud.FakeClock;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import io.tidemark.provider.fakecloud.HttpServer;
import io.tidemark.provider.fakecloud.SparseBlocks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Compute Engine's disks and snapshots of one project: {@link #handler()} in this process, or {@link #endpoint()} over
 * HTTP on loopback.
 *
 * <p>Who asks is not checked. Time is {@link #clock()} and stands still until a test moves it. Where the discovery
 * document is at hand every request and every answer is checked by it, and {@link #violations()} must be empty at the
 * end of a test; without it {@link #calls()} says that nothing was checked.
 *
 * <p>Safe for several threads. What it does is documented in {@code docs/design/cloud-fakes.md}.
 */
public final class FakeGce implements AutoCloseable {
    private final GceAccount account;
    private final GceApi api;
    private final CloudCalls calls = new CloudCalls();
    private final GceModels models = GceModels.present();
    private final AtomicLong warnings = new AtomicLong();
    private final Function<HttpRequest, HttpAnswer> handler;
    private @Nullable HttpServer server;

    private FakeGce(FakeGceSettings settings) {
        account = new GceAccount(settings);
        api = new GceApi(account);
        handler = calls.confessing(this::answer);
    }

    public static FakeGce start() {
        return start(FakeGceSettings.defaults());
    }

    /** Opens no port before {@link #endpoint()} is asked for. */
    public static FakeGce start(FakeGceSettings settings) {
        return new FakeGce(settings);
    }

    /** Answers a request, as the port would: {@link HttpAnswer#cut()} is a connection that was reset. */
    public Function<HttpRequest, HttpAnswer> handler() {
        return handler;
    }

    /** Where HTTP is answered. */
    public synchronized URI endpoint() {
        if (server == null) {
            try {
                server = new HttpServer(handler, calls::current);
            } catch (IOException e) {
                throw new UncheckedIOException("no port on loopback for a fake project", e);
            }
        }
        return server.address();
    }

    private HttpAnswer answer(HttpRequest request) {
        long number = calls.next();
        GceCall call = GceCall.of(request);
        if (call == null) {
            calls.violated(request.method + " " + request.path, "request", List.of("is no operation"));
            return GceException.answer(404, "notFound", "no such method");
        }
        calls.count(call.operation(), new CallCount(1, 0, 0));
        models.request(calls, warnings, call.operation(), request);
        var service = new CloudCalls.Played(
                call.operation(),
                call.kind(),
                (fault, script) -> api.answer(call, new GceCall.Fate(fault, script)),
                answer -> models.answer(calls, call.operation(), answer),
                // Both are seen; which is for what no document says.
                () -> GceException.answer(number % 2 == 0 ? 429 : 403, "rateLimitExceeded", "Rate Limit Exceeded"),
                () -> GceException.answer(503, "backendError", "Internal error. Please try again"));
        return calls.played(number, service);
    }

    public FakeClock clock() {
        return account.clock;
    }

    public String project() {
        return account.settings.project();
    }

    /** An empty disk in {@code zones/europe-west3-a} or {@code regions/europe-west3}. */
    public FakeDisk createDisk(String location, String name, long sizeGb, Map<String, String> labels) {
        return account.locked(() -> {
            var birth = account.birth(location, "disks", name);
            var disk = new FakeDisk(account, birth, sizeGb, new SparseBlocks(), account.now());
            disk.labels = Map.copyOf(labels);
            account.put(disk);
            return disk;
        });
    }

    /** A consistency group of a region with these disks in it. */
    public void createConsistencyGroup(String region, String name, List<FakeDisk> disks) {
        account.locked(() -> {
            var policy =
                    new GcePlain(account.birth("regions/" + region, "resourcePolicies", name), "", "", account.now());
            account.put(policy);
            disks.forEach(each -> each.policies.add(policy.path()));
            return policy;
        });
    }

    /** An instance of a zone, whose attached disks appear in that folder of this host. */
    public FakeInstance createInstance(String zone, String name, Path devices) {
        return account.locked(() -> {
            var made = new FakeInstance(account.birth("zones/" + zone, "instances", name), devices);
            account.put(made);
            return made;
        });
    }

    /** The disk is in use by an instance of that name, in its zone. */
    public void attach(FakeDisk disk, String instance) {
        account.locked(
                () -> disk.users.add("projects/%s/%s/instances/%s".formatted(project(), disk.location, instance)));
    }

    /** Many disks of 1 GB in a zone, each with whole snapshots that carry the labels: an account to list. */
    public void fill(String zone, int disks, int snapshotsOfEach, Map<String, String> labels) {
        account.locked(() -> {
            var shared = Map.copyOf(labels);
            for (int count = 0; count < disks; count++) {
                FakeDisk disk = createDisk("zones/" + zone, "disk-%06d".formatted(count), 1, Map.of());
                for (int taken = 0; taken < snapshotsOfEach; taken++) {
                    var birth = account.birth("global", "snapshots", "s-%06d-%d".formatted(count, taken));
                    var times = new FakeGceSnapshot.Times(account.now(), account.now());
                    var snapshot = new FakeGceSnapshot(birth, disk.path(), disk.id, 1, times);
                    snapshot.labels = shared;
                    account.put(snapshot);
                }
            }
            return disks;
        });
    }

    /** Somebody else's snapshot of a disk, whole. */
    public FakeGceSnapshot createSnapshot(FakeDisk disk, String name, Map<String, String> labels) {
        return account.locked(() -> {
            var times = new FakeGceSnapshot.Times(account.now(), account.now());
            var made = new FakeGceSnapshot(
                    account.birth("global", "snapshots", name), disk.path(), disk.id, disk.sizeGb(), times);
            made.content = disk.content.freeze();
            made.labels = Map.copyOf(labels);
            account.put(made);
            return made;
        });
    }

    /** Standard and archive snapshots: the truth to compare with. */
    public List<FakeGceSnapshot> snapshots() {
        return of("snapshots", FakeGceSnapshot.class);
    }

    public List<FakeGceSnapshot> instantSnapshots() {
        return of("instantSnapshots", FakeGceSnapshot.class);
    }

    public List<FakeDisk> disks() {
        return of("disks", FakeDisk.class);
    }

    /** Paths of the instances that a disk is attached to. */
    public List<String> users(FakeDisk disk) {
        return account.locked(() -> List.copyOf(disk.users));
    }

    /** A snapshot, or an instant one, is FAILED from now on. */
    public void fail(FakeGceSnapshot snapshot) {
        account.locked(() -> snapshot.failed = true);
    }

    /** A disk is FAILED from now on. */
    public void fail(FakeDisk disk) {
        account.locked(() -> disk.failed = true);
    }

    /** The next lists, and looks, do not see the collection's snapshots whose disk's path ends so. */
    public void hide(String collection, String diskEnds, int looks) {
        account.locked(() -> of(collection, FakeGceSnapshot.class).stream()
                .filter(each -> each.sourceDisk.endsWith(diskEnds))
                .peek(each -> each.hidden = looks)
                .toList());
    }

    /** Names of the groups of instant snapshots. */
    public List<String> groups() {
        return of("instantSnapshotGroups", GcePlain.class).stream()
                .map(each -> each.name)
                .toList();
    }

    private <T extends GceResource> List<T> of(String collection, Class<T> kind) {
        return account.locked(
                () -> account.all(collection).values().stream().map(kind::cast).toList());
    }

    /** From now on calls that need the permission are refused, and {@code testIamPermissions} leaves it out. */
    public void deny(String permission) {
        account.locked(() -> account.denied.add(permission));
    }

    public void allow(String permission) {
        account.locked(() -> account.denied.remove(permission));
    }

    /**
     * The next calls of an operation are taken on, and the work ends with that error and without effect; as of a quota
     * that is only seen to be used up when the work is done.
     *
     * @param operation {@code disks.startAsyncReplication}
     * @param code {@code QUOTA_EXCEEDED}
     */
    public void endInError(String operation, int times, String code) {
        account.locked(() -> {
            account.endInError(operation, times, code);
            return times;
        });
    }

    /** The faults of calls from now on. */
    public void faults(FaultScript script) {
        calls.faults(script);
    }

    /**
     * Runs before each answer, after its effect, with the number of the call from 1 on. What it throws cuts the
     * connection in place of the answer: so a test kills its client between any two calls.
     */
    public void beforeAnswer(LongConsumer hook) {
        calls.beforeAnswer(hook);
    }

    /** What the document found wrong so far, at most 1,000 findings; empty is right. */
    public List<String> violations() {
        return calls.violations();
    }

    /** How many fields were sent that are output only, which the service bears. */
    public long warnings() {
        return warnings.get();
    }

    /** Calls so far by operation. */
    public Map<String, CallCount> calls() {
        return calls.counts();
    }

    /** Closes the port, where one was opened. */
    @Override
    public synchronized void close() {
        if (server != null) {
            try {
                server.close();
            } catch (IOException e) {
                throw new UncheckedIOException("closing a fake project", e);
            }
        }
    }
}

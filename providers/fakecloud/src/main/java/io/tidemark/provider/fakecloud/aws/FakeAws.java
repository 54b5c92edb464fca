package io.tidemark.provider.fakecloud.aws;

import io.tidemark.provider.fakecloud.CallCount;
import io.tidemark.provider.fakecloud.CloudCalls;
import io.tidemark.provider.fakecloud.FakeClock;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import io.tidemark.provider.fakecloud.SparseBlocks;
import io.tidemark.provider.fakecloud.aws.FakeSnapshot.Encryption;
import io.tidemark.provider.fakecloud.aws.FakeVolume.VolumeOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * EC2's snapshots and volumes and EBS direct, of one account in one or more regions, behind HTTP on loopback.
 *
 * <p>One port a region serves both services; a client is given {@link #endpoint()} as its endpoint override.
 * Signatures are not checked. Time is {@link #clock()} and stands still until a test moves it. Where the published
 * models are at hand every request and every answer is checked by them, and {@link #violations()} must be empty at
 * the end of a test; without them {@link #calls()} says that nothing was checked.
 *
 * <p>Safe for several threads. What it does is documented in {@code docs/design/cloud-fakes.md}.
 */
public final class FakeAws implements AutoCloseable {
    private final FakeAwsSettings settings;
    private final FakeClock clock;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, AwsRegion> regions = new LinkedHashMap<>();
    private final Map<String, AwsEndpoint> endpoints = new LinkedHashMap<>();
    private final CloudCalls calls;

    private FakeAws(FakeAwsSettings settings) throws IOException {
        this.settings = settings;
        this.clock = new FakeClock(settings.start());
        this.calls = new CloudCalls();
        for (String name : settings.regions()) {
            regions.put(name, new AwsRegion(name, settings, lock, clock));
        }
        for (var region : regions.values()) {
            endpoints.put(region.name, new AwsEndpoint(region, regions::get, calls));
        }
    }

    /** An account as {@link FakeAwsSettings#defaults()} says. */
    public static FakeAws start() {
        return start(FakeAwsSettings.defaults());
    }

    public static FakeAws start(FakeAwsSettings settings) {
        try {
            return new FakeAws(settings);
        } catch (IOException e) {
            throw new UncheckedIOException("no port on loopback for a fake region", e);
        }
    }

    /** Where the first region answers, for EC2 and for EBS direct alike. */
    public URI endpoint() {
        return endpoint(settings.regions().getFirst());
    }

    /** Where the named region answers. */
    public URI endpoint(String region) {
        return at(region).address();
    }

    /**
     * What the named region's port would answer, without a connection: for tests of so many calls that sockets are most of
     * their time. Counted, checked and befallen by faults as any call.
     */
    public HttpAnswer answer(String region, HttpRequest request) {
        return at(region).answer(request);
    }

    private AwsEndpoint at(String region) {
        AwsEndpoint endpoint = endpoints.get(region);
        if (endpoint == null) {
            throw new IllegalArgumentException("region %s is none of %s".formatted(region, settings.regions()));
        }
        return endpoint;
    }

    public FakeClock clock() {
        return clock;
    }

    public String accountId() {
        return settings.accountId();
    }

    /** An empty, unencrypted volume of type gp3 in zone {@code a} of the first region. */
    public FakeVolume createVolume(int sizeGib, Map<String, String> tags) {
        return createVolume(settings.regions().getFirst(), sizeGib, tags);
    }

    public FakeVolume createVolume(String region, int sizeGib, Map<String, String> tags) {
        return locked(() -> {
            AwsRegion in = region(region);
            var options = new VolumeOptions(region + "a", "gp3", null, false, null, 3000, 125);
            return in.addVolume(sizeGib, options, tags, new SparseBlocks());
        });
    }

    /**
     * Many volumes of 1 GiB in the first region, with completed snapshots that carry the tags: an account to list.
     *
     * <p>Takes less than a kilobyte each.
     */
    public void fill(int volumes, int snapshotsOfEach, Map<String, String> tags) {
        fill(volumes, tags, Collections.nCopies(snapshotsOfEach, tags));
    }

    /**
     * As {@link #fill(int, int, Map)}.
     *
     * @param ofSnapshots tags of the snapshots of each volume, in the order in which they were taken
     */
    public void fill(int volumes, Map<String, String> ofVolumes, List<Map<String, String>> ofSnapshots) {
        locked(() -> {
            AwsRegion in = region(settings.regions().getFirst());
            var shared = ofSnapshots.stream().map(Map::copyOf).toList();
            for (int count = 0; count < volumes; count++) {
                FakeVolume volume = createVolume(1, ofVolumes);
                for (var tags : shared) {
                    var birth = new FakeSnapshot.Birth(
                            in.newId("snap-"),
                            settings.accountId(),
                            volume.id,
                            volume.sizeGib,
                            "",
                            volume.lineage,
                            volume.content().freeze());
                    in.snapshots.put(
                            birth.id(),
                            new FakeSnapshot(birth, Encryption.NONE, clock.instant(), clock.instant(), tags));
                }
            }
            return volumes;
        });
    }

    /**
     * A volume of any region.
     *
     * @throws IllegalArgumentException if there is none of that id
     */
    public FakeVolume volume(String id) {
        return locked(() -> regions.values().stream()
                .map(region -> region.volumes.get(id))
                .filter(volume -> volume != null)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no volume " + id)));
    }

    /**
     * A snapshot of any region, one in the recycle bin too.
     *
     * @throws IllegalArgumentException if there is none of that id
     */
    public FakeSnapshot snapshot(String id) {
        return locked(() -> regions.values().stream()
                .map(region -> region.snapshots.get(id))
                .filter(snapshot -> snapshot != null)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no snapshot " + id)));
    }

    /** The account's own snapshots of the first region that are not in the recycle bin: the truth to compare with. */
    public List<FakeSnapshot> snapshots() {
        return snapshots(settings.regions().getFirst());
    }

    public List<FakeSnapshot> snapshots(String region) {
        return locked(() -> region(region).snapshotsAfter("").stream()
                .filter(snapshot -> snapshot.ownerId.equals(settings.accountId()))
                .toList());
    }

    /** The account's own snapshots of the first region that lie in the recycle bin. */
    public List<FakeSnapshot> binned() {
        return locked(() -> {
            var region = region(settings.regions().getFirst());
            return List.copyOf(region.snapshots.keySet()).stream()
                    .flatMap(id -> Stream.ofNullable(region.inBin(id)))
                    .filter(snapshot -> snapshot.ownerId.equals(settings.accountId()))
                    .toList();
        });
    }

    /** Zones in which a fast restore of the snapshot was asked for and not asked to end: each is paid for by the hour. */
    public List<String> fastRestoreZones(String snapshotId) {
        return locked(() -> snapshot(snapshotId).protection().fastRestores.entrySet().stream()
                .filter(each -> each.getValue().disabling() == null)
                .map(Map.Entry::getKey)
                .toList());
    }

    /** All volumes of the first region. */
    public List<FakeVolume> volumes() {
        return locked(
                () -> List.copyOf(region(settings.regions().getFirst()).volumes.values()));
    }

    /** State of a snapshot now: pending, completed, error. */
    public String state(FakeSnapshot snapshot) {
        return locked(() -> snapshot.state(clock.instant()));
    }

    /**
     * Starts an instance with volumes attached, the first as its root.
     *
     * @return its id
     */
    public String createInstance(List<FakeVolume> volumes) {
        return locked(() -> {
            AwsRegion in = regions.values().stream()
                    .filter(region -> region.volumes.containsKey(volumes.getFirst().id))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("no volume " + volumes.getFirst().id));
            String id = in.newId("i-");
            var devices = new LinkedHashMap<String, String>();
            for (var volume : volumes) {
                String device = devices.isEmpty() ? "/dev/xvda" : "/dev/sd" + (char) ('e' + devices.size());
                devices.put(device, volume.id);
                volume.instanceId = id;
                volume.device = device;
            }
            in.instances.put(id, new AwsRegion.Instance(id, devices));
            return id;
        });
    }

    /** Makes an AMI that uses the snapshot, which then cannot be deleted; returns the AMI's id. */
    public String registerImage(String snapshotId) {
        return locked(() -> {
            AwsRegion in = holder(snapshotId);
            String image = in.newId("ami-");
            in.imageOfSnapshot.put(snapshotId, image);
            return image;
        });
    }

    /** Ends the AMI that uses the snapshot. */
    public void deregisterImage(String snapshotId) {
        locked(() -> holder(snapshotId).imageOfSnapshot.remove(snapshotId));
    }

    /** A recycle bin rule for all snapshots of a region: how long a deleted one stays; zero ends the rule. */
    public void recycleBin(String region, Duration retention) {
        locked(() -> region(region).binRetention = retention);
    }

    /** Whether volumes and snapshots of a region are encrypted though nobody asks for it. */
    public void encryptionByDefault(String region, boolean on) {
        locked(() -> region(region).encryptionByDefault = on);
    }

    /** From now on the operation, such as {@code CreateSnapshot}, is refused to this account, dry runs too. */
    public void deny(String operation) {
        endpoints.values().forEach(endpoint -> endpoint.deny(operation));
    }

    /** Ends {@link #deny}. */
    public void allow(String operation) {
        endpoints.values().forEach(endpoint -> endpoint.allow(operation));
    }

    /** The faults of calls from now on. */
    public void faults(FaultScript script) {
        calls.faults(script);
    }

    /**
     * Runs before each answer, after its effect, with the number of the call from 1 on over all regions. What it throws
     * cuts the connection in place of the answer: so a test kills its client between any two calls.
     */
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

    private AwsRegion region(String name) {
        AwsRegion region = regions.get(name);
        if (region == null) {
            throw new IllegalArgumentException("region %s is none of %s".formatted(name, settings.regions()));
        }
        return region;
    }

    private AwsRegion holder(String snapshotId) {
        return regions.values().stream()
                .filter(region -> region.snapshots.containsKey(snapshotId))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no snapshot " + snapshotId));
    }

    private <T extends @Nullable Object> T locked(Supplier<T> work) {
        lock.lock();
        try {
            return work.get();
        } finally {
            lock.unlock();
        }
    }

    /** Closes ports and connections; calls under way are cut. */
    @Override
    public void close() {
        for (var endpoint : endpoints.values()) {
            endpoint.close();
        }
    }
}

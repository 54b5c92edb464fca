package io.tidemark.agent;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Explanation;
import io.tidemark.consistency.FileSystems;
import io.tidemark.consistency.Frozen;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.QuiescerFactory;
import io.tidemark.domain.Certificate;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.spi.Capability;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.Cut;
import io.tidemark.spi.CutForecast;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotPage;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/** A host with volumes, mounts and applications that fail where a test says so, and that writes down what was done. */
final class FakeHost implements FileSystems, QuiescerFactory {
    final List<String> events = Collections.synchronizedList(new ArrayList<>());
    /** Hears of every event, on the thread that acts. */
    volatile Consumer<String> witness = event -> {};

    final Set<String> failing = new HashSet<>();
    final Set<String> notHolding = new HashSet<>();

    /** Providers whose snapshots are copies. */
    final Set<String> copying = new HashSet<>();

    final Set<String> frozen = new TreeSet<>();
    final Set<SnapshotId> snapshots = new TreeSet<>((a, b) -> a.toString().compareTo(b.toString()));
    final Map<VolumeId, List<Path>> mounts = new LinkedHashMap<>();
    Duration predicted = Duration.ofMillis(10);
    Duration holdTakes = Duration.ZERO;
    Duration flushTakes = Duration.ZERO;
    Optional<String> unavailable = Optional.empty();
    /** While true, clones, rollbacks and creations do not come to their end. */
    volatile boolean slow;

    /** Names of its providers. */
    final List<String> kinds = new ArrayList<>(List.of("image"));
    /** What the storage of all of them can do besides; a controller is told when the agent connects. */
    final Map<Class<?>, Object> abilities = new ConcurrentHashMap<>();
    /** What their storage is told to answer with, once each, by the name of the method; the first that is asked gets it. */
    final Map<String, ProviderError> hiccups = new ConcurrentHashMap<>();
    /** What work of them comes to, by the token of its handle. */
    final Map<String, Step<?>> outcomes = new ConcurrentHashMap<>();

    private final Set<String> running = ConcurrentHashMap.newKeySet();
    private long now;

    void volume(String id, String... mountPoints) {
        mounts.put(new VolumeId(id), List.of(mountPoints).stream().map(Path::of).toList());
    }

    /** The process that asked it ends: what was begun and has not come to its end, has none. */
    void loseProcess() {
        running.clear();
    }

    private long tick() {
        return ++now;
    }

    private void happen(String event) {
        events.add(event);
        witness.accept(event);
    }

    Providers providers(String... names) {
        return new Providers(List.of(names).stream().map(this::provider).toList());
    }

    StorageProvider provider(String name) {
        return (StorageProvider) Proxy.newProxyInstance(
                StorageProvider.class.getClassLoader(),
                new Class<?>[] {StorageProvider.class},
                (proxy, method, arguments) -> switch (hiccup(method.getName())) {
                    case "name" -> name;
                    case "volume" -> described((VolumeId) arguments[0]);
                    case "volumes" -> {
                        witness.accept("list");
                        yield volumes(name);
                    }
                    case "rollback" -> begun("rollback " + ((SnapshotId) arguments[0]).volume());
                    case "clone" -> begun("clone " + ((CloneRequest) arguments[0]).name());
                    case "startCreate" -> begun("create " + arguments[0]);
                    case "resume" -> {
                        var token = ((Handle) arguments[0]).token();
                        yield outcomes.containsKey(token) ? outcomes.get(token) : resumed(token);
                    }
                    case "refuseWhileOpen" -> null;
                    case "ability" -> Optional.ofNullable(abilities.get(arguments[0]));
                    case "readiness" -> new Readiness.Ready();
                    case "close" -> null;
                    case "forecast" -> new CutForecast(predicted, !copying.contains(name), List.of(name + " cuts"));
                    case "prepare" -> {
                        happen("prepare " + name);
                        yield null;
                    }
                    case "cut" -> cut(name, (CutRequest) arguments[0]);
                    case "snapshots" -> listed(name, (SnapshotQuery) arguments[0]);
                    case "delete" -> deleted((SnapshotId) arguments[0]);
                    default -> throw new AssertionError(method);
                });
    }

    String hiccup(String method) throws ProviderException {
        var error = hiccups.remove(method);
        if (error != null) {
            throw new ProviderException(error);
        }
        return method;
    }

    private Step<Volume> begun(String work) throws ProviderException {
        running.add(work);
        happen(work);
        return resumed(work);
    }

    /** As real storage does: an outcome is told once, and whoever asks again then has it done again. */
    private Step<Volume> resumed(String work) throws ProviderException {
        if (!running.contains(work)) {
            return begun(work);
        }
        if (slow) {
            return new Step.Running<>(new Handle("image", work), 0.5, Duration.ofMillis(50));
        }
        running.remove(work);
        happen("done " + work);
        var volume = new VolumeId(work.substring(work.indexOf(' ') + 1));
        mounts.putIfAbsent(volume, List.of());
        return new Step.Done<>(described(volume));
    }

    private List<Volume> volumes(String provider) throws ProviderException {
        var found = new ArrayList<Volume>();
        for (var id : mounts.keySet()) {
            if (id.provider().equals(provider)) {
                found.add(described(id));
            }
        }
        return found;
    }

    private Volume described(VolumeId id) throws ProviderException {
        if (!mounts.containsKey(id)) {
            throw new ProviderException(new ProviderError.VolumeNotFound(id));
        }
        return new Volume(
                id,
                4096,
                Set.of(Capability.ROLLBACK, Capability.CLONE, Capability.CREATE),
                Optional.empty(),
                mounts.get(id),
                Map.of());
    }

    private Cut cut(String name, CutRequest request) throws ProviderException {
        happen("cut " + name);
        var members = new ArrayList<Cut.Member>();
        for (var volume : request.volumes()) {
            if (failing.contains("cut " + volume)) {
                throw new ProviderException(new ProviderError.OutOfSpace(volume.value(), 0, 1));
            }
            var id = new SnapshotId(volume, request.recoveryPoint());
            snapshots.add(id);
            members.add(new Cut.Member(new Snapshot(id, 4096, Instant.EPOCH), tick(), tick()));
        }
        return new Cut(true, members);
    }

    private SnapshotPage listed(String name, SnapshotQuery query) {
        var found = snapshots.stream()
                .filter(id -> id.volume().provider().equals(name))
                .filter(id -> query.volume().map(id.volume()::equals).orElse(true))
                .filter(id ->
                        query.recoveryPoint().map(id.recoveryPoint()::equals).orElse(true))
                .map(id -> new Snapshot(id, 4096, Instant.EPOCH))
                .toList();
        return new SnapshotPage(found, Optional.empty());
    }

    private Step<Boolean> deleted(SnapshotId id) throws ProviderException {
        happen("delete " + id.volume());
        if (failing.contains("delete " + id.volume())) {
            throw new ProviderException(new ProviderError.Held(id, Set.of()));
        }
        snapshots.remove(id);
        return new Step.Done<>(true);
    }

    // ---- applications

    @Override
    public String kind() {
        return "database";
    }

    @Override
    public String leastRights() {
        return "";
    }

    @Override
    public Explanation explain(QuiescerSpec spec) {
        return new Explanation(
                kind(),
                "",
                List.of(),
                leastRights(),
                List.of(
                        Explanation.Setting.secretFile("passwordFile", ""),
                        Explanation.Setting.text("socketFile", "", "")),
                List.of());
    }

    @Override
    public Quiescer create(QuiescerSpec spec) {
        return new FakeDatabase(spec.settings().getOrDefault("name", "one"));
    }

    private final class FakeDatabase implements Quiescer {
        private final String name;

        FakeDatabase(String name) {
            this.name = name;
        }

        @Override
        public String kind() {
            return "database";
        }

        @Override
        public String subject() {
            return name;
        }

        @Override
        public Check check(List<Volume> volumes) throws ConsistencyException {
            failWhenTold("check " + name, "database", name);
            return new Check(List.of());
        }

        @Override
        public Frozen freeze(RecoveryPointId recoveryPoint, Duration limit) throws ConsistencyException {
            happen("freeze " + name);
            failWhenTold("freeze " + name, "database", name);
            return new FakeFrozen("database", List.of(name));
        }
    }

    private void failWhenTold(String step, String kind, String subject) throws ConsistencyException {
        if (failing.contains(step)) {
            throw new ConsistencyException(new ConsistencyError.FreezeFailed(kind, subject, "told to fail"));
        }
        if (failing.contains("bug in " + step)) {
            throw new IllegalStateException("bug in " + step);
        }
    }

    private final class FakeFrozen implements Frozen {
        private final String kind;
        private final List<String> subjects;
        private final long requested = tick();
        private final long acknowledged = tick();
        private Optional<Release> release = Optional.empty();

        FakeFrozen(String kind, List<String> subjects) {
            this.kind = kind;
            this.subjects = subjects;
            frozen.addAll(subjects);
        }

        @Override
        public void hold(Duration limit) throws ConsistencyException {
            happen("hold " + subjects.getFirst());
            failWhenTold("hold " + subjects.getFirst(), kind, subjects.getFirst());
            LockSupport.parkNanos(holdTakes.toNanos());
        }

        @Override
        public boolean heldUntilNow() {
            happen("ask " + String.join(",", subjects));
            return subjects.stream().noneMatch(notHolding::contains);
        }

        @Override
        public Release thaw() {
            if (release.isEmpty()) {
                happen("thaw " + String.join(",", subjects));
                frozen.removeAll(subjects);
                release = Optional.of(new Release(
                        subjects.stream()
                                .map(subject -> new Certificate.Freeze(
                                        kind, subject, requested, acknowledged, tick(), tick(), true, Map.of()))
                                .toList(),
                        kind.equals("database") ? Map.of("backup_label", "label of " + subjects) : Map.of()));
            }
            return release.get();
        }
    }

    // ---- file systems

    @Override
    public Optional<String> unavailableReason() {
        return unavailable;
    }

    @Override
    public List<MountedVolume> mountedFrom(List<Volume> volumes) {
        return volumes.stream()
                .flatMap(volume -> volume.mountPoints().stream()
                        .map(path -> new MountedVolume(volume.id(), "dev-of-" + path, path, "ext4")))
                .toList();
    }

    @Override
    public void refuseWhatWeStandOn(List<MountedVolume> fileSystems, List<Volume> volumes) throws ConsistencyException {
        if (failing.contains("stand")) {
            throw new ConsistencyException(new ConsistencyError.StandsOnIt("/", "told to"));
        }
    }

    @Override
    public Armed arm(RecoveryPointId recoveryPoint, List<MountedVolume> fileSystems, Duration limit)
            throws ConsistencyException {
        if (fileSystems.isEmpty()) {
            return Armed.NOTHING;
        }
        var paths = fileSystems.stream().map(fs -> fs.mountPoint().toString()).toList();
        happen("arm " + String.join(",", paths));
        failWhenTold("arm", Certificate.FILE_SYSTEM, paths.getFirst());
        return new Armed() {
            @Override
            public void flush() throws ConsistencyException {
                happen("flush");
                LockSupport.parkNanos(flushTakes.toNanos());
                failWhenTold("flush", Certificate.FILE_SYSTEM, paths.getFirst());
            }

            @Override
            public Frozen freeze() throws ConsistencyException {
                happen("freeze " + String.join(",", paths));
                failWhenTold("freeze", Certificate.FILE_SYSTEM, paths.getFirst());
                return new FakeFrozen(Certificate.FILE_SYSTEM, paths);
            }

            @Override
            public void close() {
                happen("disarm");
            }
        };
    }

    @Override
    public Armed rehearsal() {
        return Armed.NOTHING;
    }

    @Override
    public void sweep() {
        happen("sweep");
    }
}

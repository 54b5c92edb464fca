package io.tidemark.provider.fakecloud.gce;

import io.tidemark.provider.fakecloud.FakeClock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** All that a project has, by path. One lock. */
final class GceAccount {
    /** How long a request id is remembered ("Preventing accidental duplicate requests": at least 60 min). */
    private static final Duration REQUEST_ID_KEPT = Duration.ofMinutes(60);

    final FakeGceSettings settings;
    final FakeClock clock;
    final Set<String> denied = new HashSet<>();
    private final Map<String, Deque<String>> errors = new HashMap<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, NavigableMap<String, GceResource>> collections = new HashMap<>();
    private final Map<String, Asked> requests = new HashMap<>();
    private long lastId = 1_000_000_000_000_000_000L;

    private record Asked(String question, GceOperation operation, Instant at) {}

    GceAccount(FakeGceSettings settings) {
        this.settings = settings;
        this.clock = new FakeClock(settings.start());
    }

    Instant now() {
        return clock.instant();
    }

    <T extends @Nullable Object> T locked(Supplier<T> work) {
        lock.lock();
        try {
            return work.get();
        } finally {
            lock.unlock();
        }
    }

    NavigableMap<String, GceResource> all(String collection) {
        return collections.computeIfAbsent(collection, key -> new TreeMap<>());
    }

    @Nullable
    GceResource find(String path) {
        String[] words = path.split("/", -1);
        return words.length < 2 ? null : all(words[words.length - 2]).get(path);
    }

    /** From {@code projects} on, of a link in any of its forms: whole, from there, or from the zone on. */
    String pathOf(String link) {
        return link.isEmpty() || link.contains("projects/")
                ? GceResource.pathOf(link)
                : "projects/" + settings.project() + "/" + link;
    }

    /** @throws GceException if it is none, or no disk */
    FakeDisk disk(String link) throws GceException {
        String path = pathOf(link);
        if (find(path) instanceof FakeDisk disk) {
            return disk;
        }
        throw GceException.notFound(path);
    }

    void put(GceResource resource) {
        all(resource.collection).put(resource.path(), resource);
    }

    void remove(GceResource resource) {
        all(resource.collection).remove(resource.path());
        if (resource instanceof FakeGceSnapshot snapshot && find(snapshot.sourceDisk) instanceof FakeDisk disk) {
            disk.unfixed.remove(snapshot.path());
        }
    }

    /** The next calls of an operation are taken on, and their work ends with that error. */
    void endInError(String operation, int times, String code) {
        for (int each = 0; each < times; each++) {
            errors.computeIfAbsent(operation, key -> new ArrayDeque<>()).add(code);
        }
    }

    /** The error that this call's work is to end with; empty: none is planned. */
    String plannedError(String operation) {
        var planned = errors.get(operation);
        return planned == null || planned.isEmpty() ? "" : planned.remove();
    }

    long nextId() {
        return ++lastId;
    }

    GceResource.Birth birth(String location, String collection, String name) {
        return new GceResource.Birth(settings.project(), location, collection, name, nextId(), now());
    }

    /** Work that was begun; the caller has seen to its effect. */
    GceOperation operation(String location, GceOperation.Work work) {
        String name = "operation-" + (lastId + 1);
        var made = new GceOperation(birth(location, "operations", name), work);
        put(made);
        return made;
    }

    /** What the same request was answered within the last hour. */
    @Nullable
    GceOperation asked(String requestId, String question) throws GceException {
        Asked asked = requests.get(requestId);
        if (asked == null || asked.at().plus(REQUEST_ID_KEPT).isBefore(now())) {
            return null;
        }
        if (!asked.question().equals(question)) {
            throw GceException.invalid("request id %s was used for %s".formatted(requestId, asked.question()));
        }
        return asked.operation();
    }

    void answered(String requestId, String question, GceOperation operation) {
        if (!requestId.isEmpty()) {
            requests.put(requestId, new Asked(question, operation, now()));
        }
    }
}

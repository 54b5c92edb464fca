package io.tidemark.provider.fakecloud;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/** What is counted, checked and scripted over all regions of an account. Safe for several threads. */
final class AwsCalls {
    private static final int VIOLATIONS_MAXIMUM = 1000;

    private final AtomicLong count = new AtomicLong();
    private final Map<String, CallCount> counts = new ConcurrentHashMap<>();
    private final List<String> violations = new ArrayList<>();
    private volatile FaultScript script = FaultScript.none();
    private volatile LongConsumer hook = call -> {};

    void faults(FaultScript other) {
        script = other;
    }

    FaultScript script() {
        return script;
    }

    void beforeAnswer(LongConsumer other) {
        hook = other;
    }

    LongConsumer hook() {
        return hook;
    }

    long next() {
        return count.incrementAndGet();
    }

    long current() {
        return count.get();
    }

    void count(String operation, CallCount more) {
        counts.merge(operation, more, CallCount::plus);
    }

    void violated(String operation, String side, List<String> findings) {
        synchronized (violations) {
            for (String finding : findings) {
                if (violations.size() < VIOLATIONS_MAXIMUM) {
                    violations.add("%s %s: %s".formatted(operation, side, finding));
                }
            }
        }
    }

    List<String> violations() {
        synchronized (violations) {
            return List.copyOf(violations);
        }
    }

    Map<String, CallCount> counts() {
        return new TreeMap<>(counts);
    }
}

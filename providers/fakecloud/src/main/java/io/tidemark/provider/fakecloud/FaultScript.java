package io.tidemark.provider.fakecloud;

import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * Which fault befalls which call, decided by a seed or call by call.
 *
 * <p>Calls that come one after the other get the same faults from the same seed; calls in parallel share one sequence
 * in the order of their arrival. Safe for several threads.
 */
public final class FaultScript {
    private static final int INVISIBLE_LISTS_MAXIMUM = 3;

    private final RandomGenerator random;
    private final EnumMap<Fault, Double> probabilities = new EnumMap<>(Fault.class);
    private final Map<String, Map<Integer, Fault>> planned = new HashMap<>();
    private final Map<String, Integer> calls = new HashMap<>();
    private final EnumMap<Fault, Integer> happened = new EnumMap<>(Fault.class);
    private int left = Integer.MAX_VALUE;

    private FaultScript(RandomGenerator random) {
        this.random = random;
    }

    /** No fault but those that {@link #on} plans. */
    public static FaultScript none() {
        return new FaultScript(new SplittableRandom(0));
    }

    /** About one call in four fails in some way; {@link #probability} changes how often. */
    public static FaultScript of(long seed) {
        return of(new SplittableRandom(seed));
    }

    /** As {@link #of(long)}, from a generator that the caller owns. */
    public static FaultScript of(RandomGenerator random) {
        return new FaultScript(random)
                .probability(Fault.THROTTLE, 0.05)
                .probability(Fault.ERROR_BEFORE, 0.03)
                .probability(Fault.ERROR_AFTER, 0.04)
                .probability(Fault.CUT_BEFORE, 0.02)
                .probability(Fault.CUT_AFTER, 0.04)
                .probability(Fault.INVISIBLE, 0.1)
                .probability(Fault.EMPTY_PAGE, 0.1)
                .probability(Fault.EXPIRE_TOKEN, 0.02)
                .probability(Fault.STUCK, 0.05)
                .probability(Fault.END_IN_ERROR, 0.03);
    }

    /**
     * Sets how often a call that can suffer the fault does.
     *
     * @param probability 0 to 1; those of all faults that befall one kind of call add up to 1 at most
     */
    public synchronized FaultScript probability(Fault fault, double probability) {
        if (!(probability >= 0 && probability <= 1) || fault == Fault.NONE) {
            throw new IllegalArgumentException("probability of " + fault + " is not 0 to 1: " + probability);
        }
        probabilities.put(fault, probability);
        for (var kind : CallKind.values()) {
            double sum = probabilities.entrySet().stream()
                    .filter(entry -> entry.getKey().befalls(kind))
                    .mapToDouble(Map.Entry::getValue)
                    .sum();
            if (sum > 1) {
                throw new IllegalArgumentException("faults of a %s call add up to %s".formatted(kind, sum));
            }
        }
        return this;
    }

    /** Plans one fault: for the {@code nth} call of an operation from now on, counted from 1. */
    public synchronized FaultScript on(String operation, int nth, Fault fault) {
        int seen = calls.getOrDefault(operation, 0);
        planned.computeIfAbsent(operation, name -> new HashMap<>()).put(seen + nth, fault);
        return this;
    }

    /** No more than so many faults by chance from now on; a client with bounded retries then comes through. */
    public synchronized FaultScript atMost(int faults) {
        left = faults;
        return this;
    }

    /** How often each fault befell a call so far. */
    public synchronized Map<Fault, Integer> happened() {
        return Map.copyOf(happened);
    }

    /** What befalls this call of the operation; counts it. */
    public synchronized Fault next(String operation, CallKind kind) {
        int call = calls.merge(operation, 1, Integer::sum);
        Fault fault = planned.getOrDefault(operation, Map.of()).get(call);
        if (fault == null) {
            fault = byChance(kind);
        } else if (!fault.befalls(kind)) {
            throw new IllegalStateException("%s cannot befall %s, a %s call".formatted(fault, operation, kind));
        }
        if (fault != Fault.NONE) {
            happened.merge(fault, 1, Integer::sum);
        }
        return fault;
    }

    /**
     * How many lists do not show what a call made: 1 to 3 where that is the fault; and as often as not where its answer is
     * lost, for who has no answer has to look.
     */
    public synchronized int invisibleLists(Fault fault) {
        return switch (fault) {
            case INVISIBLE -> random.nextInt(1, INVISIBLE_LISTS_MAXIMUM + 1);
            case ERROR_AFTER, CUT_AFTER -> Math.max(0, random.nextInt(-2, INVISIBLE_LISTS_MAXIMUM + 1));
            default -> 0;
        };
    }

    private Fault byChance(CallKind kind) {
        if (left == 0 || probabilities.isEmpty()) {
            return Fault.NONE;
        }
        double drawn = random.nextDouble();
        for (var entry : probabilities.entrySet()) {
            if (entry.getKey().befalls(kind)) {
                drawn -= entry.getValue();
                if (drawn < 0) {
                    left--;
                    return entry.getKey();
                }
            }
        }
        return Fault.NONE;
    }
}

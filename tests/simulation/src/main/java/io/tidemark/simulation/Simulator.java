package io.tidemark.simulation;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/**
 * Runs seeds, on all cores: {@code --seed N} one of them with its event log, {@code --seeds A..B} those from A to B.
 * Prints the lowest that fails, how to replay it and what happened in it, and ends with 1.
 */
public final class Simulator {
    private static final long SEEDS_DEFAULT = 20_000;

    /** A seed that failed, and why. */
    record Failure(long seed, String what, String events) {
        String report() {
            return """
                    seed %d: %s
                    replay: ./tidemark simulate --seed %d
                    %s""".formatted(seed, what, seed, events);
        }
    }

    private Simulator() {}

    public static void main(String[] arguments) {
        long first = 0;
        long last = SEEDS_DEFAULT - 1;
        for (int index = 0; index < arguments.length; index += 2) {
            String value = index + 1 < arguments.length ? arguments[index + 1] : "";
            switch (arguments[index]) {
                case "--seed" -> {
                    first = Long.parseLong(value);
                    last = first;
                }
                case "--seeds" -> {
                    int dots = value.indexOf("..");
                    first = dots < 0 ? 0 : Long.parseLong(value.substring(0, dots));
                    last = Long.parseLong(value.substring(dots < 0 ? 0 : dots + 2)) - (dots < 0 ? 1 : 0);
                }
                default -> throw new IllegalArgumentException("unknown option: " + arguments[index]);
            }
        }
        if (last < first) {
            throw new IllegalArgumentException(
                    "no seeds from %d to %d: say --seeds FIRST..LAST".formatted(first, last));
        }
        long started = System.nanoTime();
        var failure = first == last ? replay(first, Cast.OURS) : run(first, last, Cast.OURS);
        failure.map(Failure::report).ifPresent(System.out::println);
        if (failure.isPresent()) {
            System.exit(1);
        }
        System.out.printf("seeds %d..%d held, %.1f s%n", first, last, (System.nanoTime() - started) / 1_000_000_000.0);
    }

    /** The lowest seed of those from first to last that fails; later ones are not run to their end once one did. */
    static Optional<Failure> run(long first, long last, Cast cast) {
        var next = new AtomicLong(first);
        var failing = new AtomicLong(Long.MAX_VALUE);
        IntStream.range(0, Runtime.getRuntime().availableProcessors())
                .parallel()
                .forEach(core -> {
                    for (long seed = next.getAndIncrement();
                            seed <= last && seed < failing.get();
                            seed = next.getAndIncrement()) {
                        if (violation(seed, new EventLog(false), cast).isPresent()) {
                            failing.accumulateAndGet(seed, Math::min);
                        }
                    }
                });
        long lowest = failing.get();
        return lowest == Long.MAX_VALUE ? Optional.empty() : replay(lowest, cast);
    }

    /** Runs the seed again with a log of its events: a world follows from its seed alone. */
    static Optional<Failure> replay(long seed, Cast cast) {
        var log = new EventLog(true);
        return violation(seed, log, cast).map(what -> new Failure(seed, what, log.toString()));
    }

    private static Optional<String> violation(long seed, EventLog log, Cast cast) {
        try {
            new World(seed, log, cast).run();
            return Optional.empty();
        } catch (Violation e) {
            return Optional.of(String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            // A machine that throws broke its own rules; where it did is the evidence.
            return Optional.of("%s at %s".formatted(e, e.getStackTrace().length == 0 ? "?" : e.getStackTrace()[0]));
        }
    }
}

package io.tidemark.simulation;

import io.tidemark.simulation.live.LiveWorld;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/**
 * Runs seeds, on all cores: {@code --seed N} one of them with its event log, {@code --seeds A..B} those from A to B, after
 * {@code --live} of live replication, else of scheduled. Prints the lowest that fails, how to replay it and what happened in it, and ends with 1.
 */
public final class Simulator {
    private static final long SEEDS_DEFAULT = 20_000;

    /** A seed that failed, and why. */
    public record Failure(long seed, String what, String options, String events) {
        public String report() {
            return """
                    seed %d: %s
                    replay: ./tidemark simulate %s--seed %d
                    %s""".formatted(seed, what, options, seed, events);
        }
    }

    /** Worlds of a kind: all of one follows from its seed. */
    public interface Worlds {
        /** @throws Violation where something did not hold that must */
        void run(long seed, EventLog log);

        /** What chooses this kind on the command line, with a blank behind it. */
        default String options() {
            return "";
        }
    }

    private Simulator() {}

    public static void main(String[] arguments) {
        long first = 0;
        long last = SEEDS_DEFAULT - 1;
        boolean isLive = arguments.length > 0 && arguments[0].equals("--live");
        for (int index = isLive ? 1 : 0; index < arguments.length; index += 2) {
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
        var worlds = isLive ? LiveWorld.worlds() : ours();
        var failure = first == last ? replay(first, worlds) : run(first, last, worlds);
        failure.map(Failure::report).ifPresent(System.out::println);
        if (failure.isPresent()) {
            System.exit(1);
        }
        System.out.printf("seeds %d..%d held, %.1f s%n", first, last, (System.nanoTime() - started) / 1_000_000_000.0);
    }

    /** Of scheduled replication. */
    static Worlds of(Cast cast) {
        return (seed, log) -> new World(seed, log, cast).run();
    }

    private static Worlds ours() {
        return of(Cast.OURS);
    }

    /** The lowest seed of those from first to last that fails; later ones are not run to their end once one did. */
    public static Optional<Failure> run(long first, long last, Worlds worlds) {
        var next = new AtomicLong(first);
        var failing = new AtomicLong(Long.MAX_VALUE);
        IntStream.range(0, Runtime.getRuntime().availableProcessors())
                .parallel()
                .forEach(core -> {
                    for (long seed = next.getAndIncrement();
                            seed <= last && seed < failing.get();
                            seed = next.getAndIncrement()) {
                        if (violation(seed, new EventLog(false), worlds).isPresent()) {
                            failing.accumulateAndGet(seed, Math::min);
                        }
                    }
                });
        long lowest = failing.get();
        return lowest == Long.MAX_VALUE ? Optional.empty() : replay(lowest, worlds);
    }

    /** Runs the seed again with a log of its events: a world follows from its seed alone. */
    public static Optional<Failure> replay(long seed, Worlds worlds) {
        var log = new EventLog(true);
        return violation(seed, log, worlds).map(what -> new Failure(seed, what, worlds.options(), log.toString()));
    }

    private static Optional<String> violation(long seed, EventLog log, Worlds worlds) {
        try {
            worlds.run(seed, log);
            return Optional.empty();
        } catch (Violation e) {
            return Optional.of(String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            // A machine that throws broke its own rules; where it did is the evidence.
            return Optional.of("%s at %s".formatted(e, e.getStackTrace().length == 0 ? "?" : e.getStackTrace()[0]));
        }
    }
}

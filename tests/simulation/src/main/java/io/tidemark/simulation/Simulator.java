package io.tidemark.simulation;

/**
 * Runs seeds: {@code --seed N} one of them, {@code --seeds N} the first N (default 2000). Prints the first that fails,
 * with what happened last, and ends with 1.
 */
public final class Simulator {
    private static final long SEEDS_DEFAULT = 2_000;

    private Simulator() {}

    public static void main(String[] arguments) {
        long first = 0;
        long count = SEEDS_DEFAULT;
        for (int index = 0; index + 1 < arguments.length; index += 2) {
            long value = Long.parseLong(arguments[index + 1]);
            switch (arguments[index]) {
                case "--seed" -> {
                    first = value;
                    count = 1;
                }
                case "--seeds" -> count = value;
                default -> throw new IllegalArgumentException("unknown option: " + arguments[index]);
            }
        }
        for (long seed = first; seed < first + count; seed++) {
            try {
                run(seed);
            } catch (AssertionError e) {
                System.out.println(e.getMessage());
                System.exit(1);
            }
        }
        System.out.printf("%d seeds held%n", count);
    }

    /** @throws AssertionError naming the seed, when anything that must hold does not */
    static void run(long seed) {
        new World(seed).run();
    }
}

package io.tidemark.benchmark;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** {@code tidemark bench --list} and {@code tidemark bench NAME [--json] [options]}. */
public final class BenchMain {
    private static final List<Bench> SINGLE = List.of(
            new BlockIndexBench(),
            new BlockDiffBench(),
            new BlockApplyBench(),
            new EngineIndexBench(),
            new DirectIndexBench(),
            new IndexUpdateBench(),
            new KernelsBench(),
            new IncrementalSizeBench(),
            new ChangedBytesBench(),
            new FreezeWindowBench(),
            new FreezeUnderLoadBench(),
            new ClientStartBench(),
            new PacingBench(),
            new EbsDirectBench(),
            new ExportsBench(),
            new FirstCopyBench(),
            new SyncScatteredBench(),
            new LiveDrbdBench());

    private static final List<Bench> BENCHES =
            Stream.concat(SINGLE.stream(), LiveBench.all()).toList();

    private static final int ROUNDS_MAXIMUM = 101;
    private static final long SIZE_GIB = 4;
    private static final long SIZE_GIB_MAXIMUM = 1024;
    private static final int SECONDS = 3;
    private static final int SECONDS_MAXIMUM = 3_600;

    private static final int OK = 0;
    private static final int GOAL_MISSED = 1;
    private static final int USAGE = 2;
    private static final int NOTHING_MEASURED = 3;

    private static final String USAGE_TEXT = """
            usage: tidemark bench --list
                   tidemark bench NAME [--json] [--size GIB] [--rounds COUNT] [--seconds COUNT] [--folder FOLDER]
            --size is that of the image where the benchmark does not fix it, 4 unless given.
            --rounds is how often what is compared takes turns; the medians count.
            --seconds is what one measurement of live links takes, 3 unless given.
            --folder is where the run's files lie: a folder on a disk, or in memory.
            Exit code 0: every goal holds, or its measure was skipped; 1: one is missed; 2: not understood;
            3: nothing could be measured here, and standard error says what is missing.""";

    private BenchMain() {}

    public static void main(String[] args) throws Exception {
        System.exit(run(args));
    }

    private static int run(String[] args) throws Exception {
        if (args.length == 0 || Arrays.asList(args).contains("--help")) {
            System.out.println(USAGE_TEXT);
            return args.length == 0 ? USAGE : OK;
        }
        if (args[0].equals("--list")) {
            BENCHES.forEach(bench -> System.out.printf("%-18s %s%n", bench.name(), bench.description()));
            return OK;
        }
        boolean json = false;
        long sizeGib = SIZE_GIB;
        Optional<Integer> rounds = Optional.empty();
        int seconds = SECONDS;
        Optional<Path> folder = Optional.empty();
        for (int at = 1; at < args.length; at++) {
            switch (args[at]) {
                case "--json" -> json = true;
                case "--size" -> sizeGib = number(args, ++at, SIZE_GIB_MAXIMUM);
                case "--rounds" -> rounds = Optional.of((int) number(args, ++at, ROUNDS_MAXIMUM));
                case "--seconds" -> seconds = (int) number(args, ++at, SECONDS_MAXIMUM);
                case "--folder" -> {
                    folder = Optional.of(Path.of(++at < args.length ? args[at] : ""));
                    if (args.length <= at || !Files.isDirectory(folder.get())) {
                        return notUnderstood("--folder takes a folder that is there, not '%s'".formatted(folder.get()));
                    }
                }
                default -> {
                    return notUnderstood("option %s is not known; did you mean %s?"
                            .formatted(
                                    args[at],
                                    nearest(
                                            args[at],
                                            Stream.of("--json", "--size", "--rounds", "--seconds", "--folder"))));
                }
            }
        }
        if (sizeGib < 0 || seconds < 0 || rounds.orElse(1) < 0) {
            return notUnderstood("--size takes 1 to %d, --rounds 1 to %d, --seconds 1 to %d"
                    .formatted(SIZE_GIB_MAXIMUM, ROUNDS_MAXIMUM, SECONDS_MAXIMUM));
        }
        for (var bench : BENCHES) {
            if (bench.name().equals(args[0])) {
                int count = rounds.orElse(bench.rounds());
                try (var run = BenchRun.open(count, sizeGib << 30, seconds, folder)) {
                    return told(bench, bench.run(run), json);
                }
            }
        }
        return notUnderstood("benchmark %s is not known; did you mean %s?"
                .formatted(
                        args[0],
                        nearest(
                                args[0],
                                Stream.concat(
                                        Stream.of("--list", "--help"),
                                        BENCHES.stream().map(Bench::name)))));
    }

    private static int told(Bench bench, List<Measure> measures, boolean json) {
        if (json) {
            System.out.println("{\"bench\":\"%s\",\"measures\":[%s]}"
                    .formatted(
                            bench.name(), measures.stream().map(Measure::json).collect(Collectors.joining(","))));
        } else {
            measures.forEach(measure -> System.out.println(measure.line()));
        }
        measures.forEach(measure ->
                measure.skipped().ifPresent(reason -> System.err.printf("SKIPPED %s: %s%n", measure.name(), reason)));
        if (measures.stream().allMatch(measure -> measure.skipped().isPresent())) {
            return NOTHING_MEASURED;
        }
        return measures.stream().allMatch(measure -> measure.skipped().isPresent() || measure.holds())
                ? OK
                : GOAL_MISSED;
    }

    private static long number(String[] args, int at, long maximum) {
        if (at >= args.length || !args[at].matches("\\d{1,6}")) {
            return -1;
        }
        long value = Long.parseLong(args[at]);
        return value >= 1 && value <= maximum ? value : -1;
    }

    private static int notUnderstood(String message) {
        System.err.println("tidemark bench: " + message);
        System.err.println(USAGE_TEXT);
        return USAGE;
    }

    private static String nearest(String word, Stream<String> known) {
        return known.min(Comparator.comparingInt(name -> distance(word, name))).orElseThrow();
    }

    /** Edit distance. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        Arrays.setAll(row, i -> i);
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(replaced, 1 + Math.min(row[j - 1], above));
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}

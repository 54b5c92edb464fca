package io.tidemark.benchmark;

import java.util.Locale;
import java.util.Optional;

/**
 * One figure beside what it is judged by.
 *
 * @param atLeast whether the ratio must be at least the goal (a rate), or at most (a time, bytes)
 * @param skipped why it could not be measured; the figures are then zero and mean nothing
 */
record Measure(
        String name,
        double ours,
        String unit,
        String peer,
        double peerValue,
        boolean atLeast,
        double goal,
        Optional<String> skipped) {

    static Measure rate(String name, double ours, String unit, String peer, double peerValue, double goal) {
        return new Measure(name, ours, unit, peer, peerValue, true, goal, Optional.empty());
    }

    static Measure cost(String name, double ours, String unit, String peer, double peerValue, double goal) {
        return new Measure(name, ours, unit, peer, peerValue, false, goal, Optional.empty());
    }

    static Measure skipped(String name, String peer, String reason) {
        return new Measure(name, 0, "", peer, 0, true, 0, Optional.of(reason));
    }

    /** {@code ours / peerValue}. */
    double ratio() {
        return ours / peerValue;
    }

    boolean holds() {
        return skipped.isEmpty() && (atLeast ? ratio() >= goal : ratio() <= goal);
    }

    /** Null for everything that was not measured. */
    String json() {
        if (skipped.isPresent()) {
            return String.format(
                    Locale.ROOT,
                    "{\"name\":\"%s\",\"ours\":null,\"unit\":\"\",\"peer\":\"%s\",\"peerValue\":null,\"ratio\":null,"
                            + "\"goal\":null,\"holds\":null}",
                    name,
                    peer);
        }
        return String.format(
                Locale.ROOT,
                "{\"name\":\"%s\",\"ours\":%.4f,\"unit\":\"%s\",\"peer\":\"%s\",\"peerValue\":%.4f,\"ratio\":%.4f,"
                        + "\"goal\":\"%s\",\"holds\":%b}",
                name,
                ours,
                unit,
                peer,
                peerValue,
                ratio(),
                goalText(),
                holds());
    }

    String line() {
        if (skipped.isPresent()) {
            return "%-44s SKIPPED: %s".formatted(name, skipped.get());
        }
        return String.format(
                Locale.ROOT,
                "%-44s %9.3f %-7s  %-30s %9.3f  ratio %7.3f  goal %-8s %s",
                name,
                ours,
                unit,
                peer,
                peerValue,
                ratio(),
                goalText(),
                holds() ? "holds" : "FAILS");
    }

    private String goalText() {
        return String.format(Locale.ROOT, "%s %.2f", atLeast ? ">=" : "<=", goal);
    }
}

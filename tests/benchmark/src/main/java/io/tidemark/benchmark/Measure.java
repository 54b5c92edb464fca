package io.tidemark.benchmark;

import java.util.Locale;
import java.util.Optional;

/**
 * One figure beside what it is judged by.
 *
 * @param judged how the ratio is held against the goal
 * @param skipped why it could not be measured; the figures are then zero and mean nothing
 */
record Measure(
        String name,
        double ours,
        String unit,
        String peer,
        double peerValue,
        Judged judged,
        double goal,
        Optional<String> skipped) {

    /** At least the goal (a rate), at most (a time, bytes), or without a goal, for the reader. */
    enum Judged {
        AT_LEAST,
        AT_MOST,
        REPORTED
    }

    static Measure rate(String name, double ours, String unit, String peer, double peerValue, double goal) {
        return new Measure(name, ours, unit, peer, peerValue, Judged.AT_LEAST, goal, Optional.empty());
    }

    static Measure cost(String name, double ours, String unit, String peer, double peerValue, double goal) {
        return new Measure(name, ours, unit, peer, peerValue, Judged.AT_MOST, goal, Optional.empty());
    }

    /** A cost that may not exceed a limit of its own, whatever another tool takes. */
    static Measure within(String name, double ours, String unit, String limit, double limitValue) {
        return cost(name, ours, unit, limit, limitValue, 1);
    }

    static Measure reported(String name, double ours, String unit, String peer, double peerValue) {
        return new Measure(name, ours, unit, peer, peerValue, Judged.REPORTED, 0, Optional.empty());
    }

    static Measure skipped(String name, String peer, String reason) {
        return new Measure(name, 0, "", peer, 0, Judged.REPORTED, 0, Optional.of(reason));
    }

    /** {@code ours / peerValue}. */
    double ratio() {
        return ours / peerValue;
    }

    boolean holds() {
        return skipped.isEmpty()
                && switch (judged) {
                    case AT_LEAST -> ratio() >= goal;
                    case AT_MOST -> ratio() <= goal;
                    case REPORTED -> true;
                };
    }

    /** Null for everything that was not measured, and for the goal where there is none. */
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
                        + "\"goal\":%s,\"holds\":%s}",
                name,
                ours,
                unit,
                peer,
                peerValue,
                ratio(),
                judged == Judged.REPORTED ? "null" : "\"" + goalText() + "\"",
                judged == Judged.REPORTED ? "null" : holds());
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
                        judged == Judged.REPORTED ? "" : holds() ? "holds" : "FAILS")
                .stripTrailing();
    }

    private String goalText() {
        return switch (judged) {
            case AT_LEAST -> String.format(Locale.ROOT, ">= %.2f", goal);
            case AT_MOST -> String.format(Locale.ROOT, "<= %.2f", goal);
            case REPORTED -> "none";
        };
    }
}

package io.tidemark.quickstart;

import io.tidemark.client.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What one quickstart measured, filled in as it goes; what was not reached stays empty. */
final class Outcome {
    private static final int LABEL_WIDTH = 34;
    private static final double MEBIBYTE = 1 << 20;

    private @Nullable Double freezeMillis;
    private @Nullable Double worstStallMillis;
    private @Nullable String consistency;
    private @Nullable Json firstCopy;
    private @Nullable Json incremental;
    private @Nullable Proof proof;
    private @Nullable String reason;
    private final List<String> leftOut = new ArrayList<>();

    void recoveryPoint(Json recoveryPoint, double stallMillis) {
        var window = recoveryPoint.at("freezeWindowMillis");
        freezeMillis = window.isNumber() ? (Double) window.decimal() : null;
        worstStallMillis = stallMillis;
        consistency = recoveryPoint.at("consistency").text();
    }

    void firstCopy(Json report) {
        firstCopy = report;
    }

    void incremental(Json report) {
        incremental = report;
    }

    void proved(Proof found) {
        proof = found;
        leftOut.addAll(found.leftOut());
    }

    void leftOut(String what) {
        leftOut.add(what);
    }

    void failed(String why) {
        reason = why;
    }

    boolean ok() {
        return reason == null && proof != null && proof.holds() && incremental != null;
    }

    static double seconds(Json report) {
        return report.at("durationMillis").decimal() / 1_000;
    }

    /** Bytes on the wire for each byte that truly changed. */
    static double ratio(Json report) {
        long changed = report.at("changedBytes").number();
        return changed == 0 ? 0 : (double) report.at("sentWireBytes").number() / changed;
    }

    static String sentence(Json report) {
        double seconds = seconds(report);
        double changed = report.at("changedBytes").decimal();
        return String.format(
                Locale.ROOT,
                "changed %.1f MiB, read %.1f, compared %.1f, sent %.1f on the wire: ratio %.3f, %.2f s, %.0f MiB/s"
                        + " (ranges from %s)",
                changed / MEBIBYTE,
                report.at("readBytes").decimal() / MEBIBYTE,
                report.at("comparedBytes").decimal() / MEBIBYTE,
                report.at("sentWireBytes").decimal() / MEBIBYTE,
                ratio(report),
                seconds,
                seconds == 0 ? 0 : changed / MEBIBYTE / seconds,
                report.at("changedRangeSource").text());
    }

    List<String> table() {
        List<String> lines = new ArrayList<>();
        line(lines, "consistency achieved", consistency);
        line(lines, "file system frozen for", freezeMillis == null ? null : millis(freezeMillis));
        line(lines, "writer's worst latency around it", worstStallMillis == null ? null : millis(worstStallMillis));
        line(lines, "first copy", firstCopy == null ? null : sentence(firstCopy));
        line(lines, "incremental", incremental == null ? null : sentence(incremental));
        if (proof != null) {
            line(lines, "recovered in", millis(proof.recoveryMillis()));
            line(
                    lines,
                    "acknowledged before the freeze",
                    "%d, of these lost %d".formatted(proof.acknowledged(), proof.lost()));
            line(lines, "from after the freeze", Integer.toString(proof.fromTheFuture()));
            line(lines, "checked, and clean", String.join(", ", proof.checks()));
        }
        leftOut.forEach(what -> line(lines, "left out", what));
        return lines;
    }

    private static void line(List<String> lines, String label, @Nullable String value) {
        if (value != null) {
            lines.add(label + " ".repeat(Math.max(1, LABEL_WIDTH - label.length())) + value);
        }
    }

    private static String millis(double millis) {
        return millis < 1_000
                ? String.format(Locale.ROOT, "%.0f ms", millis)
                : String.format(Locale.ROOT, "%.2f s", millis / 1_000);
    }

    Json json() {
        Map<String, @Nullable Object> document = new LinkedHashMap<>();
        document.put("ok", ok());
        document.put("freezeMillis", freezeMillis);
        document.put("worstStallMillis", worstStallMillis);
        document.put("consistency", consistency);
        document.put("firstCopy", firstCopy == null ? null : copy(firstCopy));
        document.put("incremental", incremental == null ? null : copy(incremental));
        document.put("recoverySeconds", proof == null ? null : proof.recoveryMillis() / 1_000);
        document.put("acknowledged", proof == null ? null : proof.acknowledged());
        document.put("acknowledgedLost", proof == null ? null : proof.lost());
        document.put("fromAfterTheFreeze", proof == null ? null : proof.fromTheFuture());
        document.put("checks", proof == null ? List.of() : proof.checks());
        document.put("leftOut", leftOut);
        if (reason != null) {
            document.put("reason", reason);
        }
        return Json.of(document);
    }

    private static Map<String, @Nullable Object> copy(Json report) {
        Map<String, @Nullable Object> copy = new LinkedHashMap<>();
        copy.put("bytesChanged", report.at("changedBytes").raw());
        copy.put("bytesNamed", report.at("namedBytes").raw());
        copy.put("bytesRead", report.at("readBytes").raw());
        copy.put("bytesCompared", report.at("comparedBytes").raw());
        copy.put("bytesSent", report.at("sentWireBytes").raw());
        copy.put("payloadBytesSent", report.at("sentPayloadBytes").raw());
        copy.put("ratio", ratio(report));
        copy.put("seconds", seconds(report));
        copy.put("changedRangeSource", report.at("changedRangeSource").raw());
        return copy;
    }
}

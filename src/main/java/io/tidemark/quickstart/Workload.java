package io.tidemark.quickstart;

import io.tidemark.client.Json;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What writes to the volume while recovery points are taken of it, and can tell afterwards whether a copy is right. */
interface Workload {
    long volumeBytes();

    /** Puts onto the volume what writes to it, and starts writing. */
    void start(Path volumeDevice) throws QuickstartException;

    /** For the group's {@code quiescers}. */
    List<Map<String, Object>> quiescers();

    /** What every acknowledged write was. */
    SequenceLog log();

    /** More to write between two recovery points, for this many seconds. */
    void writeMore(int seconds) throws QuickstartException;

    /** @throws QuickstartException when writing has ended with an error */
    void check() throws QuickstartException;

    /**
     * Opens a writable clone of a recovery point and says what it holds.
     *
     * @param askedNanos when the clone was asked for
     */
    Proof prove(Path cloneDevice, Cut cut, long askedNanos) throws QuickstartException;

    /** Ends the writer, not the database. */
    void stopWriting() throws QuickstartException;

    /**
     * When what a recovery point holds was fixed.
     *
     * @param fromNanos all that was acknowledged before is in it
     * @param toNanos nothing that was issued after is in it
     * @param releasedNanos writers were known to go on
     */
    record Cut(long fromNanos, long toNanos, long releasedNanos) {

        /** From the certificate: the file systems' freezes where there were any, else the cuts themselves. */
        static Cut of(Json recoveryPoint) {
            var certificate = recoveryPoint.at("certificate");
            var freezes = certificate.at("freezes").items().stream()
                    .filter(freeze -> freeze.at("kind").text().equals("filesystem"))
                    .toList();
            var spans = freezes.isEmpty() ? certificate.at("cuts").items() : freezes;
            String from = freezes.isEmpty() ? "startedNanos" : "requestedNanos";
            String to = freezes.isEmpty() ? "finishedNanos" : "acknowledgedNanos";
            String released = freezes.isEmpty() ? "finishedNanos" : "releasedNanos";
            return new Cut(
                    spans.stream()
                            .mapToLong(span -> span.at(from).number())
                            .min()
                            .orElse(0),
                    spans.stream().mapToLong(span -> span.at(to).number()).max().orElse(Long.MAX_VALUE),
                    spans.stream()
                            .mapToLong(span -> span.at(released).number())
                            .max()
                            .orElse(Long.MAX_VALUE));
        }
    }
}

package io.tidemark.transport;

import java.time.Duration;

/**
 * How long and how much a connection may take.
 *
 * @param connect until TCP answers
 * @param handshake until TLS is up, and for a whole pairing dialogue: a person waits
 * @param idle longest silence of a peer; both sides say that they are alive every second during long work
 * @param connections of known and unknown peers together; each holds under 2 MiB
 * @param pairings unknown keys let in at the same time
 * @param pairingsPerMinute unknown keys let in: 256 bits cannot be guessed, but each try costs a handshake
 */
public record TransportLimits(
        Duration connect, Duration handshake, Duration idle, int connections, int pairings, int pairingsPerMinute) {
    public static final TransportLimits DEFAULT =
            new TransportLimits(Duration.ofSeconds(10), Duration.ofSeconds(10), Duration.ofSeconds(30), 64, 4, 30);
}

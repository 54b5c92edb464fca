package io.tidemark.domain;

import java.time.Instant;

/**
 * A paired site.
 *
 * @param address {@code host:port} of its replication listener, as its invitation named it
 * @param fingerprint SHA-256 of its certificate's public key (SubjectPublicKeyInfo), 64 lower-case hex digits; pinned
 */
public record Peer(PeerId id, String address, String fingerprint, Instant pairedAt) {}

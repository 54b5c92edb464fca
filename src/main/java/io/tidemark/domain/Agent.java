package io.tidemark.domain;

import java.time.Instant;

/**
 * A host that was enrolled: it connects to its controller, which asks it to act on its storage.
 *
 * @param fingerprint SHA-256 of its public key (SubjectPublicKeyInfo), 64 lower-case hex digits; pinned
 */
public record Agent(AgentId id, String fingerprint, Instant enrolledAt) {}

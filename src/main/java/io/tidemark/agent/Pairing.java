package io.tidemark.agent;

import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.replication.ReplicationException;
import java.time.Duration;
import java.time.Instant;

/** Makes two sites know each other's keys. */
public interface Pairing {

    /**
     * A one-time token that carries this site's address, its key's fingerprint and a secret. Only a hash of the secret
     * is kept here.
     *
     * @param peerName what the site that accepts will be called here
     * @param validFor 1 minute to 7 days
     */
    Invitation invite(PeerId peerName, Duration validFor) throws ReplicationException;

    /** Goes to the inviting site, proves the secret, and pins both keys. Twice with one token fails the second time. */
    Peer accept(PeerId peerName, String token) throws ReplicationException;

    /** @param token a secret: printed once, never logged */
    record Invitation(String token, Instant expiresAt) {}
}

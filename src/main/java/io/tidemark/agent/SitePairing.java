package io.tidemark.agent;

import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.port.PeerConnector;
import io.tidemark.replication.protocol.InvitationToken;
import io.tidemark.replication.protocol.Message;
import io.tidemark.replication.protocol.PeerAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.InstantSource;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Pairs this site with others by one-time invitations. */
public final class SitePairing implements Pairing {
    private static final Logger LOG = LoggerFactory.getLogger(SitePairing.class);
    private static final Duration VALID_MINIMUM = Duration.ofMinutes(1);
    private static final Duration VALID_MAXIMUM = Duration.ofDays(7);

    private final SiteCatalog catalog;
    private final PeerConnector connector;
    private final Supplier<String> address;
    private final String fingerprint;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final String software;

    /**
     * @param address where other sites reach this one's listener, {@code host:port}
     * @param fingerprint of this site's key
     * @param random must be unpredictable: it makes secrets
     */
    public SitePairing(
            SiteCatalog catalog,
            PeerConnector connector,
            Supplier<String> address,
            String fingerprint,
            InstantSource clock,
            RandomGenerator random,
            String software) {
        this.catalog = catalog;
        this.connector = connector;
        this.address = address;
        this.fingerprint = fingerprint;
        this.clock = clock;
        this.random = random;
        this.software = software;
    }

    @Override
    public Invitation invite(PeerId peerName, Duration validFor) throws ReplicationException {
        if (validFor.compareTo(VALID_MINIMUM) < 0 || validFor.compareTo(VALID_MAXIMUM) > 0) {
            throw refused("it would be valid for %d s, %d to %d allowed"
                    .formatted(validFor.toSeconds(), VALID_MINIMUM.toSeconds(), VALID_MAXIMUM.toSeconds()));
        }
        byte[] secret = new byte[InvitationToken.SECRET_BYTES];
        random.nextBytes(secret);
        var token = new InvitationToken(address.get(), fingerprint, ByteBuffer.wrap(secret));
        var expiresAt = clock.instant().plus(validFor);
        catalog.saveInvitation(InvitationToken.secretHash(token.secret()), peerName, expiresAt);
        return new Invitation(token.text(), expiresAt);
    }

    @Override
    public Peer accept(PeerId peerName, String token) throws ReplicationException {
        var invitation = InvitationToken.parse(token);
        if (invitation.fingerprint().equals(fingerprint)) {
            throw refused("it was made by this site itself");
        }
        var known = catalog.peer(peerName);
        if (known.isPresent() && !known.get().fingerprint().equals(invitation.fingerprint())) {
            throw refused("a peer called %s is paired already, with another key".formatted(peerName));
        }
        refuseOtherName(invitation.fingerprint(), peerName);
        try (var connection = PeerReplicator.greet(
                connector, invitation.address(), invitation.fingerprint(), Message.Purpose.PAIR, software)) {
            connection.send(new Message.Pair(invitation.secret(), address.get()));
            PeerReplicator.await(connection, Message.Paired.class);
        }
        var peer = new Peer(peerName, invitation.address(), invitation.fingerprint(), clock.instant());
        catalog.savePeer(peer);
        LOG.info("peer.paired peer={} address={} fingerprint={}", peerName, peer.address(), peer.fingerprint());
        return peer;
    }

    /** The inviting side: the connection's key is pinned if it brings an invitation's secret. */
    void admit(PeerConnection connection, Message.Pair pair) throws ReplicationException {
        try {
            PeerAddress.parse(pair.address());
        } catch (IllegalArgumentException e) {
            throw new ReplicationException(new ReplicationError.CorruptFrame(String.valueOf(e.getMessage())), e);
        }
        var invited = catalog.takeInvitation(InvitationToken.secretHash(pair.secret()), clock.instant());
        if (invited.isEmpty()
                && catalog.peerByFingerprint(connection.peerFingerprint()).isPresent()) {
            // Our answer to its first try was lost: it has proved its key, and nothing is left to be done here.
            connection.send(new Message.Paired());
            return;
        }
        var name =
                invited.orElseThrow(() -> refused("it is unknown here, used already, or expired: ask for a new one"));
        var known = catalog.peer(name);
        if (known.isPresent() && !known.get().fingerprint().equals(connection.peerFingerprint())) {
            throw refused("a peer called %s is paired already, with another key".formatted(name));
        }
        refuseOtherName(connection.peerFingerprint(), name);
        var peer = new Peer(name, pair.address(), connection.peerFingerprint(), clock.instant());
        catalog.savePeer(peer);
        LOG.info("peer.paired peer={} address={} fingerprint={}", name, peer.address(), peer.fingerprint());
        connection.send(new Message.Paired());
    }

    /** A key has one name at a site. */
    private void refuseOtherName(String key, PeerId name) throws ReplicationException {
        var known = catalog.peerByFingerprint(key);
        if (known.isPresent() && !known.get().id().equals(name)) {
            throw refused(
                    "its site is paired already, as %s".formatted(known.get().id()));
        }
    }

    private static ReplicationException refused(String reason) {
        return new ReplicationException(new ReplicationError.InvitationRefused(reason));
    }
}

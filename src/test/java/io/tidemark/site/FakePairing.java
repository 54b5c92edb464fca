package io.tidemark.site;

import io.tidemark.agent.Pairing;
import io.tidemark.agent.SiteCatalog;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Pairs with anyone who shows a token of the right beginning, once. */
public final class FakePairing implements Pairing {
    private static final String TOKEN_BEGINNING = "tidemark-invitation-";
    private final SiteCatalog catalog;
    private final InstantSource clock;
    private final AtomicInteger counter = new AtomicInteger();
    private final Set<String> spent = ConcurrentHashMap.newKeySet();

    public FakePairing(SiteCatalog catalog, InstantSource clock) {
        this.catalog = catalog;
        this.clock = clock;
    }

    @Override
    public Invitation invite(PeerId peerName, Duration validFor) {
        return new Invitation(
                TOKEN_BEGINNING + counter.incrementAndGet(), clock.instant().plus(validFor));
    }

    @Override
    public Peer accept(PeerId peerName, String token) throws ReplicationException {
        if (!token.startsWith(TOKEN_BEGINNING) || !spent.add(token)) {
            throw new ReplicationException(new ReplicationError.InvitationRefused("the token is spent or not ours"));
        }
        var fingerprint = "%064x".formatted(peerName.value().hashCode() & 0xffffffffL);
        var peer = new Peer(peerName, "127.0.0.1:7421", fingerprint, clock.instant());
        catalog.savePeer(peer);
        return peer;
    }
}

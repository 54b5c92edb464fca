package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.protocol.InvitationToken;
import io.tidemark.replication.protocol.Message;
import io.tidemark.transport.SiteIdentity;
import io.tidemark.transport.TlsPeerConnector;
import io.tidemark.transport.TransportLimits;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who is let in, and what they are told. */
@Timeout(30)
class SitePairingTest {
    private static final PeerId A = new PeerId("site-a");
    private static final PeerId B = new PeerId("site-b");

    @TempDir
    Path folder;

    private TestSite a;
    private TestSite b;

    @BeforeEach
    void startTwoSites() throws Exception {
        var limits =
                new TransportLimits(Duration.ofSeconds(5), Duration.ofSeconds(5), Duration.ofSeconds(1), 16, 2, 20);
        a = new TestSite(Files.createDirectory(folder.resolve("a")), limits);
        b = new TestSite(Files.createDirectory(folder.resolve("b")), limits);
    }

    @AfterEach
    void closeBoth() {
        a.close();
        b.close();
    }

    private String invitation() throws Exception {
        return b.pairing.invite(A, Duration.ofMinutes(5)).token();
    }

    private static ReplicationError errorOf(ThrowingCallable call) {
        var thrown = new AtomicReference<ReplicationError>();
        assertThatThrownBy(call).isInstanceOfSatisfying(ReplicationException.class, e -> thrown.set(e.error()));
        return Objects.requireNonNull(thrown.get());
    }

    @Test
    void bothSitesPinEachOthersKey() throws Exception {
        a.pairing.accept(B, invitation());

        assertThat(a.catalog.peer(B).orElseThrow().fingerprint()).isEqualTo(b.identity.fingerprint());
        assertThat(b.catalog.peer(A).orElseThrow().fingerprint()).isEqualTo(a.identity.fingerprint());
        assertThat(b.catalog.peer(A).orElseThrow().address()).isEqualTo(a.address());
    }

    @Test
    void anInvitationWorksOnce() throws Exception {
        String token = invitation();
        a.pairing.accept(B, token);

        assertThat(errorOf(() -> a.pairing.accept(new PeerId("again"), token)))
                .isInstanceOf(ReplicationError.InvitationRefused.class);
        assertThat(a.catalog.peer(new PeerId("again"))).isEmpty();
    }

    @Test
    void anAnswerThatWasLostIsGivenAgain() throws Exception {
        String token = invitation();
        a.pairing.accept(B, token);

        a.pairing.accept(B, token);

        assertThat(b.catalog.peers()).hasSize(1);
    }

    @Test
    void aSiteThatHasANameAlreadyIsRefusedBeforeItsInvitationIsUsed() throws Exception {
        a.pairing.accept(B, invitation());
        String token = invitation();

        assertThat(errorOf(() -> a.pairing.accept(new PeerId("again"), token)).message())
                .contains("paired already, as site-b");

        var secret = InvitationToken.parse(token).secret();
        assertThat(b.catalog.takeInvitation(InvitationToken.secretHash(secret), Instant.now()))
                .contains(A);
    }

    @Test
    void anExpiredInvitationIsRefused() throws Exception {
        String token = invitation();
        b.catalog.saveInvitation(
                InvitationToken.secretHash(InvitationToken.parse(token).secret()),
                A,
                Instant.now().minusSeconds(1));

        assertThat(errorOf(() -> a.pairing.accept(B, token)).message()).contains("expired");
        assertThat(b.catalog.peers()).isEmpty();
    }

    @Test
    void aSecretThatNobodyGaveOutIsRefused() throws Exception {
        var forged = new InvitationToken(b.address(), b.identity.fingerprint(), ByteBuffer.wrap(new byte[32]));

        assertThat(errorOf(() -> a.pairing.accept(B, forged.text())))
                .isInstanceOf(ReplicationError.InvitationRefused.class);
        assertThat(b.catalog.peers()).isEmpty();
    }

    @Test
    void aSiteThatShowsAnotherKeyThanTheInvitationIsNotTalkedTo() throws Exception {
        var real = InvitationToken.parse(invitation());
        var other = new InvitationToken(b.address(), "00".repeat(32), real.secret());

        var error = errorOf(() -> a.pairing.accept(B, other.text()));

        assertThat(error)
                .isEqualTo(new ReplicationError.PeerNotTrusted(b.address(), "00".repeat(32), b.identity.fingerprint()));
    }

    @Test
    void aNameThatIsPairedWithAnotherKeyIsNeverTakenOver() throws Exception {
        b.catalog.savePeer(new Peer(A, "127.0.0.1:1", "11".repeat(32), Instant.EPOCH));

        assertThat(errorOf(() -> a.pairing.accept(B, invitation())).message()).contains("paired already");
        assertThat(b.catalog.peer(A).orElseThrow().fingerprint()).isEqualTo("11".repeat(32));
    }

    @Test
    void aSiteDoesNotAcceptItsOwnInvitation() throws Exception {
        assertThat(errorOf(() -> b.pairing.accept(A, invitation())).message()).contains("this site itself");
    }

    @Test
    void anUnknownKeyMayOnlyPair() throws Exception {
        var connector = new TlsPeerConnector(a.identity, TransportLimits.DEFAULT);
        try (var connection = connector.connect(b.address(), b.identity.fingerprint())) {
            connection.send(new Message.Hello(1, 1, Message.Purpose.SYNC, "test"));

            assertThat(connection.receive())
                    .isInstanceOfSatisfying(
                            Message.Refused.class,
                            refused -> assertThat(refused.error().message()).contains("not-paired"));
        }
    }

    @Test
    void anotherProtocolVersionIsNamedToItsSpeaker() throws Exception {
        a.pairing.accept(B, invitation());
        var connector = new TlsPeerConnector(a.identity, TransportLimits.DEFAULT);
        try (var connection = connector.connect(b.address(), b.identity.fingerprint())) {
            connection.send(new Message.Hello(7, 9, Message.Purpose.SYNC, "test"));

            assertThat(connection.receive())
                    .isInstanceOfSatisfying(
                            Message.Refused.class,
                            refused -> assertThat(refused.error())
                                    .isEqualTo(new ReplicationError.ProtocolMismatch("7-9", "1")));
        }
    }

    @Test
    void aSourceMaySayThatItLivesBeforeItOffers() throws Exception {
        a.pairing.accept(B, invitation());
        var connector = new TlsPeerConnector(a.identity, TransportLimits.DEFAULT);
        try (var connection = connector.connect(b.address(), b.identity.fingerprint())) {
            connection.send(new Message.Hello(1, 1, Message.Purpose.SYNC, "test"));
            assertThat(connection.receive()).isInstanceOf(Message.Welcome.class);

            connection.send(new Message.Alive("HOLDING", 0, 0));
            assertThat(connection.receive()).as("is answered").isInstanceOf(Message.Alive.class);
            connection.send(new Message.Welcome(1, "test"));

            assertThat(connection.receive())
                    .isInstanceOfSatisfying(
                            Message.Refused.class,
                            refused -> assertThat(refused.error().message()).contains("WELCOME where Offer was due"));
        }
    }

    @Test
    void aSilentPeerIsLetGo() throws Exception {
        a.pairing.accept(B, invitation());
        var connector = new TlsPeerConnector(a.identity, TransportLimits.DEFAULT);
        try (var connection = connector.connect(b.address(), b.identity.fingerprint())) {
            assertThat(errorOf(connection::receive)).isInstanceOf(ReplicationError.ConnectionLost.class);
        }
    }

    @Test
    void nobodyListeningIsUnreachable() throws Exception {
        var connector = new TlsPeerConnector(a.identity, TransportLimits.DEFAULT);
        String address = b.address();
        b.listener.close();

        assertThat(errorOf(() -> connector.connect(address, b.identity.fingerprint())))
                .isInstanceOf(ReplicationError.PeerUnreachable.class);
    }

    @Test
    void theKeySurvivesARestartAndIsReadableByItsOwnerAlone() throws Exception {
        Path file = folder.resolve("a").resolve("site-identity.pem");

        assertThat(SiteIdentity.in(folder.resolve("a"), InstantSource.system()).fingerprint())
                .isEqualTo(a.identity.fingerprint());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");

        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        assertThatThrownBy(() -> SiteIdentity.in(folder.resolve("a"), InstantSource.system()))
                .hasMessageContaining("0600");
    }

    @Test
    void aDamagedKeyIsNotReplacedByANewOne() throws Exception {
        Files.writeString(folder.resolve("a").resolve("site-identity.pem"), "nonsense");

        assertThatThrownBy(() -> SiteIdentity.in(folder.resolve("a"), InstantSource.system()))
                .hasMessageContaining("damaged");
    }
}

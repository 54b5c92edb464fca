package io.tidemark.consistency.attestation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.consistency.AchievedConsistency.Wanted;
import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

class AttestationTest {
    private static final VolumeId ORDERS = new VolumeId("image:orders");
    private static final SnapshotId SNAPSHOT = new SnapshotId(ORDERS, new RecoveryPointId("rp-1"));
    private static final RecoveryPoint POINT = new RecoveryPoint(
            SNAPSHOT.recoveryPoint(),
            new GroupId("shop"),
            Instant.parse("2026-11-26T10:00:00.123456789Z"),
            Consistency.FILESYSTEM,
            new Certificate(
                    "host",
                    "boot",
                    List.of(new Certificate.Freeze(
                            Certificate.FILE_SYSTEM, "/orders", 1, 2, 5, 6, true, Map.of("type", "ext4"))),
                    List.of(new Certificate.CutTimes(SNAPSHOT, 3, 4)),
                    true,
                    List.of("the group names no application to freeze")),
            List.of(new RecoveryPoint.Member(ORDERS, SNAPSHOT, 4096)),
            Map.of("backup_label", "START WAL LOCATION: 0/2000028"),
            Optional.empty(),
            Optional.empty());
    private static final Statement STATEMENT =
            Statement.of(POINT, new Wanted(Map.of(ORDERS, List.of("/orders")), Set.of(), List.of()));

    private final SigningKey key = TestKey.make();

    @Test
    void whatWasSignedIsReadBack() throws Exception {
        var opened = Attestation.open(Attestation.sign(STATEMENT, key));

        assertThat(opened.statement()).isEqualTo(STATEMENT);
        assertThat(opened.signer()).matches("[0-9a-f]{64}");
        assertThat(opened.statement().verdict().consistency()).isEqualTo(Consistency.FILESYSTEM);
    }

    /** Of one key in 128 a number of the point is shorter than its field: each comes back as the same key. */
    @RepeatedTest(20)
    void keyIsTheSameEachTime() throws Exception {
        var one = Attestation.open(Attestation.sign(STATEMENT, key));
        var other = Attestation.open(Attestation.sign(STATEMENT, key));

        assertThat(one.signer()).isEqualTo(other.signer());
        assertThat(Attestation.open(Attestation.sign(STATEMENT, TestKey.make())).signer())
                .isNotEqualTo(one.signer());
    }

    @Test
    void evidenceIsSignedByItsDigestAlone() {
        assertThat(STATEMENT.point().evidence())
                .containsOnlyKeys("backup_label")
                .allSatisfy((name, digest) -> assertThat(digest).matches("sha256:[0-9a-f]{64}"));
    }

    @Test
    void anyOtherCharacterIsNoticed() {
        var jws = Attestation.sign(STATEMENT, key);

        for (int at = 0; at < jws.length(); at++) {
            var changed = new StringBuilder(jws);
            changed.setCharAt(at, jws.charAt(at) == 'A' ? 'B' : 'A');
            assertThatThrownBy(() -> Attestation.open(changed.toString()))
                    .as("character %d", at)
                    .isInstanceOf(IOException.class)
                    .hasMessageStartingWith("attestation");
        }
    }

    @Test
    void keyOfAnotherDoesNotMakeItsSignature() {
        var parts = Attestation.sign(STATEMENT, key).split("\\.", -1);
        var others = Attestation.sign(STATEMENT, TestKey.make()).split("\\.", -1);

        assertThatThrownBy(() -> Attestation.open(others[0] + "." + parts[1] + "." + parts[2]))
                .hasMessage("attestation was changed since it was signed");
    }

    @Test
    void whatIsNoSignatureIsTold() {
        assertThatThrownBy(() -> Attestation.open("text")).hasMessage("attestation is no compact JSON Web Signature");
        assertThatThrownBy(() -> Attestation.open("a.b.c")).hasMessageStartingWith("attestation cannot be read: ");
        assertThatThrownBy(() -> Attestation.open("x".repeat(Attestation.CHARACTERS_MAXIMUM + 1)))
                .hasMessageContaining("at most 4194304 are read");
        assertThatThrownBy(() -> Attestation.open(withoutAlgorithm()))
                .hasMessage("attestation is not of type tidemark-recovery-point+jws, signed by ES256");
    }

    /** The old attack on JSON Web Signatures: a header that asks for no check. */
    private String withoutAlgorithm() {
        var parts = Attestation.sign(STATEMENT, key).split("\\.", -1);
        var header = new String(Base64.getUrlDecoder().decode(parts[0]), StandardCharsets.UTF_8)
                .replace("\"ES256\"", "\"none\"");
        return Base64.getUrlEncoder().withoutPadding().encodeToString(header.getBytes(StandardCharsets.UTF_8)) + "."
                + parts[1] + ".";
    }

    @Test
    void newerVersionIsToldAsSuch() {
        var newer = new Statement(3, STATEMENT.point(), STATEMENT.wanted());

        assertThatThrownBy(() -> Attestation.open(Attestation.sign(newer, key)))
                .hasMessage("attestation has version 3, this tidemark reads 1 to 2: use a newer one");
    }
}

package io.tidemark.consistency.attestation;

import io.tidemark.consistency.AchievedConsistency;
import io.tidemark.consistency.AchievedConsistency.Wanted;
import io.tidemark.domain.RecoveryPoint;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a host says of a recovery point that it took: all of it, and what would have had to be frozen, so that whoever
 * reads it can decide again what it is good for.
 *
 * @param version of this form: the oldest that can say it
 * @param point with the digest of each evidence in place of its text, and no attestation
 */
public record Statement(int version, RecoveryPoint point, Wanted wanted) {
    static final int VERSION_OLDEST = 1;
    /** With the order between hosts. */
    static final int VERSION_NEWEST = 2;

    private static final String DIGEST = "sha256:";

    public static Statement of(RecoveryPoint point, Wanted wanted) {
        var digests = point.evidence().entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, entry -> digest(entry.getValue())));
        return new Statement(
                point.certificate().order().isEmpty() ? VERSION_OLDEST : VERSION_NEWEST,
                new RecoveryPoint(
                        point.id(),
                        point.group(),
                        point.createdAt(),
                        point.consistency(),
                        point.certificate(),
                        point.members(),
                        digests,
                        point.receivedOver(),
                        Optional.empty()),
                wanted);
    }

    /** Of an evidence's text, as a statement holds it: {@code sha256:} and 64 hex digits. */
    public static String digest(String evidence) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(evidence.getBytes(StandardCharsets.UTF_8));
            return DIGEST + HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    /** What its certificate proves: decided anew, whatever the statement says. */
    public AchievedConsistency.Verdict verdict() {
        return AchievedConsistency.decide(point.certificate(), wanted);
    }
}

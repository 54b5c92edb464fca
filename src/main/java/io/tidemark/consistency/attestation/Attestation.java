package io.tidemark.consistency.attestation;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import io.tidemark.domain.RecoveryPoint;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * A signed statement, as a compact JSON Web Signature (RFC 7515) that carries its key, so that other tools can check it
 * too: {@code ES256}, a header with the key as {@code jwk}, the statement as payload.
 *
 * @param signer fingerprint of the key that signed it: SHA-256 of the SubjectPublicKeyInfo, 64 hex digits. Whose it is,
 *     only who knows the site's fingerprint can tell
 */
public record Attestation(Statement statement, String signer) {
    /** Evidence is in it as digests only; what is left are names, times and facts. */
    static final int CHARACTERS_MAXIMUM = 4 << 20;

    private static final String TYPE = "tidemark-recovery-point+jws";
    private static final String ALGORITHM = "ES256";
    private static final String CURVE = "P-256";
    private static final int NUMBER_BYTES = 32;
    private static final int PARTS = 3;

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .addModules(new Jdk8Module(), new JavaTimeModule())
            .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
            // Earlier versions read what says no more than they know.
            .withConfigOverride(
                    Optional.class,
                    options -> options.setInclude(
                            JsonInclude.Value.construct(JsonInclude.Include.NON_ABSENT, JsonInclude.Include.ALWAYS)))
            .addMixIn(RecoveryPoint.class, WithoutHosts.class)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /** A host signs its own part. */
    @JsonIgnoreProperties("hosts")
    private interface WithoutHosts {}

    private record Jwk(String kty, String crv, String x, String y) {}

    private record Header(String alg, String typ, Jwk jwk) {}

    /** Of any version, to say so. */
    private record Versioned(int version) {}

    public static String sign(Statement statement, SigningKey key) {
        try {
            var point = key.open().getW();
            var jwk = new Jwk("EC", CURVE, number(point.getAffineX()), number(point.getAffineY()));
            var header = MAPPER.writeValueAsBytes(new Header(ALGORITHM, TYPE, jwk));
            var signed = text(header) + "." + text(MAPPER.writeValueAsBytes(statement));
            return signed + "." + text(key.sign(signed.getBytes(StandardCharsets.US_ASCII)));
        } catch (JacksonException e) {
            throw new AssertionError("a statement is plain data", e);
        }
    }

    /** @throws IOException with one phrase that says why it is none, or was changed since it was signed */
    public static Attestation open(String jws) throws IOException {
        if (jws.length() > CHARACTERS_MAXIMUM) {
            throw new IOException(
                    "attestation has %d characters, at most %d are read".formatted(jws.length(), CHARACTERS_MAXIMUM));
        }
        var parts = List.of(jws.split("\\.", -1));
        if (parts.size() != PARTS) {
            throw new IOException("attestation is no compact JSON Web Signature");
        }
        try {
            var header = MAPPER.readValue(bytes(parts.getFirst()), Header.class);
            if (!ALGORITHM.equals(header.alg()) || !TYPE.equals(header.typ()) || header.jwk() == null) {
                throw new IOException("attestation is not of type %s, signed by %s".formatted(TYPE, ALGORITHM));
            }
            var key = key(header.jwk());
            var signed = jws.substring(0, jws.lastIndexOf('.')).getBytes(StandardCharsets.US_ASCII);
            if (!signedBy(key, signed, bytes(parts.getLast()))) {
                throw new IOException("attestation was changed since it was signed");
            }
            return new Attestation(statement(bytes(parts.get(1))), fingerprint(key));
        } catch (JacksonException | IllegalArgumentException | NullPointerException e) {
            throw new IOException("attestation cannot be read: " + e.getMessage(), e);
        }
    }

    private static Statement statement(byte[] payload) throws IOException {
        int version = MAPPER.readerFor(Versioned.class)
                .without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .<Versioned>readValue(payload)
                .version();
        if (version < Statement.VERSION_OLDEST || version > Statement.VERSION_NEWEST) {
            throw new IOException("attestation has version %d, this tidemark reads %d to %d: use a newer one"
                    .formatted(version, Statement.VERSION_OLDEST, Statement.VERSION_NEWEST));
        }
        return MAPPER.readValue(payload, Statement.class);
    }

    private static boolean signedBy(PublicKey key, byte[] message, byte[] signature) {
        try {
            var check = Signature.getInstance(SigningKey.ALGORITHM);
            check.initVerify(key);
            check.update(message);
            return check.verify(signature);
        } catch (GeneralSecurityException e) {
            // Of a length that no signature has, or by a key that is none.
            return false;
        }
    }

    private static PublicKey key(Jwk jwk) throws IOException {
        try {
            var parameters = AlgorithmParameters.getInstance("EC");
            parameters.init(new ECGenParameterSpec("secp256r1"));
            var point = new ECPoint(new BigInteger(1, bytes(jwk.x())), new BigInteger(1, bytes(jwk.y())));
            return KeyFactory.getInstance("EC")
                    .generatePublic(new ECPublicKeySpec(point, parameters.getParameterSpec(ECParameterSpec.class)));
        } catch (GeneralSecurityException e) {
            throw new IOException("attestation's key is none of %s: %s".formatted(CURVE, e.getMessage()), e);
        }
    }

    private static String fingerprint(PublicKey key) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(key.getEncoded()));
        } catch (GeneralSecurityException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    private static String number(BigInteger number) {
        byte[] bytes = new byte[NUMBER_BYTES];
        byte[] least = number.toByteArray();
        int length = Math.min(NUMBER_BYTES, least.length);
        System.arraycopy(least, least.length - length, bytes, NUMBER_BYTES - length, length);
        return text(bytes);
    }

    private static String text(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** One text for the same bytes: the decoder lets pass others. */
    private static byte[] bytes(String text) {
        byte[] bytes = Base64.getUrlDecoder().decode(text);
        if (!text(bytes).equals(text)) {
            throw new IllegalArgumentException("not plain base64url");
        }
        return bytes;
    }
}

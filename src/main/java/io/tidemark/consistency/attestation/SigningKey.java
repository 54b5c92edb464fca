package io.tidemark.consistency.attestation;

import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;

/**
 * The key of the host that takes recovery points.
 *
 * @param open of the curve P-256, as the secret one is
 */
public record SigningKey(PrivateKey secret, ECPublicKey open) {
    /** ECDSA over P-256 and SHA-256, its two numbers one after the other: {@code ES256} of RFC 7518, 3.4. */
    static final String ALGORITHM = "SHA256withECDSAinP1363Format";

    byte[] sign(byte[] message) {
        try {
            var signature = Signature.getInstance(ALGORITHM);
            signature.initSign(secret);
            signature.update(message);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new AssertionError("every JDK signs with EC P-256 keys", e);
        }
    }

    /** Without the secret. */
    @Override
    public String toString() {
        return "SigningKey of P-256";
    }
}

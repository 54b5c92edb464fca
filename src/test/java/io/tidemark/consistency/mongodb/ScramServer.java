package io.tidemark.consistency.mongodb;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

/** One login by SCRAM-SHA-256, as a server sees it. Source: RFC 5802 and RFC 7677. */
final class ScramServer {
    private static final int ITERATIONS = 4_096;
    private static final byte[] SALT = "0123456789abcdef".getBytes(StandardCharsets.UTF_8);
    private static final String BINDING = "n,,";

    private final Map<String, String> passwords;
    private String user = "";
    private String told = "";

    /** @param passwords by user */
    ScramServer(Map<String, String> passwords) {
        this.passwords = passwords;
    }

    String user() {
        return user;
    }

    /** @return the server's first message */
    String start(String message) {
        var first = message.substring(BINDING.length());
        var fields = fields(first);
        user = fields.getOrDefault("n", "");
        var answer = "r=%sserver,s=%s,i=%d"
                .formatted(fields.get("r"), Base64.getEncoder().encodeToString(SALT), ITERATIONS);
        told = first + "," + answer;
        return answer;
    }

    /** @return the server's last message; empty where the password was another */
    String finish(String message) throws GeneralSecurityException {
        int proofAt = message.lastIndexOf(",p=");
        var signed = told + "," + message.substring(0, proofAt);
        var proof = Base64.getDecoder().decode(message.substring(proofAt + 3));
        var salted = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                .generateSecret(new PBEKeySpec(passwords.getOrDefault(user, "-").toCharArray(), SALT, ITERATIONS, 256))
                .getEncoded();
        var clientKey = mac(salted, "Client Key");
        var signature = mac(MessageDigest.getInstance("SHA-256").digest(clientKey), signed);
        for (int index = 0; index < signature.length; index++) {
            signature[index] ^= clientKey[index];
        }
        return passwords.containsKey(user) && MessageDigest.isEqual(signature, proof)
                ? "v=" + Base64.getEncoder().encodeToString(mac(mac(salted, "Server Key"), signed))
                : "";
    }

    private static byte[] mac(byte[] key, String text) throws GeneralSecurityException {
        var mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }

    private static Map<String, String> fields(String message) {
        return Stream.of(message.split(",", -1))
                .collect(Collectors.toMap(field -> field.substring(0, 1), field -> field.substring(2)));
    }
}

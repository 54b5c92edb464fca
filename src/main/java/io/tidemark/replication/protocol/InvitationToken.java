package io.tidemark.replication.protocol;

import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.zip.CRC32C;

/**
 * What one site's operator gives another's, once: where the inviting site listens, which key it must show, and a
 * secret. As text: {@code tidemark1-} and base 32 (RFC 4648, lower case, no padding); white space, hyphens and the
 * case of letters do not matter. Layout: docs/formats/invitation.md.
 *
 * @param fingerprint SHA-256 of the inviting site's public key, 64 lower-case hex digits
 * @param secret 32 random bytes
 */
public record InvitationToken(String address, String fingerprint, ByteBuffer secret) {
    public static final int SECRET_BYTES = 32;
    private static final String PREFIX = "tidemark1-";
    private static final int FINGERPRINT_BYTES = 32;
    /** Its length is one byte. */
    private static final int ADDRESS_BYTES_MAXIMUM = 255;

    private static final String DIGITS = "abcdefghijklmnopqrstuvwxyz234567";
    private static final int DIGIT_BITS = 5;
    /** Three times the longest token: room for line breaks, a bound for what is pasted by mistake. */
    private static final int CHARACTERS_MAXIMUM = 2_000;

    public InvitationToken {
        PeerAddress.parse(address);
        if (address.getBytes(StandardCharsets.UTF_8).length > ADDRESS_BYTES_MAXIMUM) {
            throw new IllegalArgumentException("address is longer than %d bytes".formatted(ADDRESS_BYTES_MAXIMUM));
        }
        if (!fingerprint.matches("[0-9a-f]{64}")) {
            throw new IllegalArgumentException("fingerprint is not 64 hex digits: " + fingerprint);
        }
        if (secret.remaining() != SECRET_BYTES) {
            throw new IllegalArgumentException("secret has %d bytes".formatted(secret.remaining()));
        }
    }

    public String text() {
        byte[] where = address.getBytes(StandardCharsets.UTF_8);
        var bytes = ByteBuffer.allocate(FINGERPRINT_BYTES + SECRET_BYTES + 1 + where.length + Integer.BYTES);
        bytes.put(HexFormat.of().parseHex(fingerprint)).put(secret.duplicate());
        bytes.put((byte) where.length).put(where);
        bytes.putInt(checksum(bytes.slice(0, bytes.position()))).flip();
        return PREFIX + base32(bytes);
    }

    /** @throws ReplicationException InvitationRefused, saying what is wrong with the text */
    public static InvitationToken parse(String text) throws ReplicationException {
        if (text.length() > CHARACTERS_MAXIMUM) {
            throw refused("it has %d characters, at most %d make a token".formatted(text.length(), CHARACTERS_MAXIMUM));
        }
        String plain = text.replaceAll("[\\s-]", "").toLowerCase(Locale.ROOT);
        String prefix = PREFIX.replace("-", "");
        if (plain.isEmpty()) {
            throw refused("it is empty");
        }
        if (!plain.startsWith("tidemark")) {
            throw refused("it does not start with " + PREFIX);
        }
        if (!plain.startsWith(prefix)) {
            throw refused("its version is not 1, the only one known here");
        }
        var bytes = bytes(plain.substring(prefix.length()));
        int least = FINGERPRINT_BYTES + SECRET_BYTES + 1 + Integer.BYTES;
        if (bytes.limit() < least) {
            throw refused("it is cut short: %d of at least %d bytes".formatted(bytes.limit(), least));
        }
        int body = bytes.limit() - Integer.BYTES;
        if (bytes.getInt(body) != checksum(bytes.slice(0, body))) {
            throw refused("its checksum is wrong: a character was changed or left out");
        }
        byte[] fingerprint = new byte[FINGERPRINT_BYTES];
        byte[] secret = new byte[SECRET_BYTES];
        bytes.get(fingerprint).get(secret);
        byte[] where = new byte[Byte.toUnsignedInt(bytes.get())];
        if (where.length != body - bytes.position()) {
            throw refused("its address is cut short");
        }
        bytes.get(where);
        try {
            return new InvitationToken(
                    new String(where, StandardCharsets.UTF_8),
                    HexFormat.of().formatHex(fingerprint),
                    ByteBuffer.wrap(secret));
        } catch (IllegalArgumentException e) {
            throw refused(String.valueOf(e.getMessage()));
        }
    }

    /** What the inviting site keeps in place of the secret: SHA-256, hex. */
    public static String secretHash(ByteBuffer secret) {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            digest.update(secret.duplicate());
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    /** Never the secret. */
    @Override
    public String toString() {
        return "InvitationToken[address=%s, fingerprint=%s, secret=***]".formatted(address, fingerprint);
    }

    private static int checksum(ByteBuffer bytes) {
        var crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }

    private static String base32(ByteBuffer bytes) {
        var text = new StringBuilder();
        int bits = 0;
        int held = 0;
        while (bytes.hasRemaining()) {
            held = (held << Byte.SIZE) | Byte.toUnsignedInt(bytes.get());
            bits += Byte.SIZE;
            while (bits >= DIGIT_BITS) {
                bits -= DIGIT_BITS;
                text.append(DIGITS.charAt((held >> bits) & 31));
            }
            held &= (1 << bits) - 1;
        }
        if (bits > 0) {
            text.append(DIGITS.charAt((held << (DIGIT_BITS - bits)) & 31));
        }
        return text.toString();
    }

    private static ByteBuffer bytes(String digits) throws ReplicationException {
        var bytes = ByteBuffer.allocate(digits.length() * DIGIT_BITS / Byte.SIZE);
        int bits = 0;
        int held = 0;
        for (int index = 0; index < digits.length(); index++) {
            int digit = DIGITS.indexOf(digits.charAt(index));
            if (digit < 0) {
                throw refused("character %d after the prefix, '%c', does not belong in a token"
                        .formatted(index + 1, digits.charAt(index)));
            }
            held = (held << DIGIT_BITS) | digit;
            bits += DIGIT_BITS;
            if (bits >= Byte.SIZE) {
                bits -= Byte.SIZE;
                bytes.put((byte) (held >> bits));
                held &= (1 << bits) - 1;
            }
        }
        return bytes.flip();
    }

    private static ReplicationException refused(String reason) {
        return new ReplicationException(new ReplicationError.InvitationRefused(reason));
    }
}

package io.tidemark.consistency.mysql;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import javax.crypto.Cipher;
import org.jspecify.annotations.Nullable;

/**
 * The server's side of one connection: handshake v10, {@code caching_sha2_password}, text results. Source: MySQL's
 * "Client/Server Protocol" and {@code sql/auth/sha2_password.cc}.
 */
final class MySqlWire {
    private static final int HEADER_BYTES = 4;
    /** LONG_PASSWORD, FOUND_ROWS, LONG_FLAG, CONNECT_WITH_DB, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH. */
    private static final int CAPABILITIES = 0x1 | 0x2 | 0x4 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x80000;

    private static final int UTF8MB4 = 45;
    private static final int AUTOCOMMIT = 2;
    private static final int VARCHAR = 253;
    private static final int NULL_VALUE = 0xFB;
    private static final int LONG_LENGTH = 0xFC;
    private static final int USER_OFFSET = 32;
    private static final String PLUGIN = "caching_sha2_password";
    /** Of the scramble; no byte of it may be 0. */
    private static final byte[] SCRAMBLE = "0123456789abcdefghij".getBytes(StandardCharsets.US_ASCII);

    private static final byte MORE = 1;
    private static final byte FAST_SUCCESS = 3;
    private static final byte FULL_AUTHENTICATION = 4;

    private final InputStream in;
    private final OutputStream out;
    private int sequence;

    MySqlWire(InputStream in, OutputStream out) {
        this.in = in;
        this.out = out;
    }

    /** What a client says first after the handshake, and the command that it sends later. */
    byte[] read() throws IOException {
        var header = in.readNBytes(HEADER_BYTES);
        if (header.length < HEADER_BYTES) {
            throw new EOFException("client is gone");
        }
        int length = (header[0] & 0xFF) | (header[1] & 0xFF) << 8 | (header[2] & 0xFF) << 16;
        sequence = (header[3] & 0xFF) + 1;
        return in.readNBytes(length);
    }

    private void write(byte[] payload) throws IOException {
        var packet = new ByteArrayOutputStream();
        packet.write(payload.length);
        packet.write(payload.length >> 8);
        packet.write(payload.length >> 16);
        packet.write(sequence++);
        packet.writeBytes(payload);
        out.write(packet.toByteArray());
        out.flush();
    }

    /**
     * @param cached whether the server has kept the account's hash since an earlier login
     * @param secure whether the transport is one over which the server takes a password as it is: a Unix socket
     * @return the user; null where the password is wrong, which the client has been told
     */
    @Nullable
    String authenticate(int id, String version, String password, boolean cached, boolean secure, KeyPair rsa)
            throws IOException, GeneralSecurityException {
        sequence = 0;
        write(handshake(id, version));
        var response = read();
        int end = USER_OFFSET;
        while (response[end] != 0) {
            end++;
        }
        var user = new String(response, USER_OFFSET, end - USER_OFFSET, StandardCharsets.UTF_8);
        var ask = new ByteArrayOutputStream();
        ask.write(0xFE);
        text(ask, PLUGIN);
        ask.writeBytes(SCRAMBLE);
        ask.write(0);
        write(ask.toByteArray());
        var proof = read();
        if (cached && Arrays.equals(proof, proof(password))) {
            write(new byte[] {MORE, FAST_SUCCESS});
            ok();
            return user;
        }
        write(new byte[] {MORE, FULL_AUTHENTICATION});
        var sent = secure ? read() : decrypted(rsa);
        if (Arrays.equals(sent, (password + "\0").getBytes(StandardCharsets.UTF_8))) {
            ok();
            return user;
        }
        error(1045, "28000", "Access denied for user '%s'@'localhost' (using password: YES)".formatted(user));
        return null;
    }

    private byte[] decrypted(KeyPair rsa) throws IOException, GeneralSecurityException {
        var sent = read();
        if (sent.length == 1 && sent[0] == 2) {
            var key = "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n"
                    .formatted(Base64.getMimeEncoder(64, new byte[] {'\n'})
                            .encodeToString(rsa.getPublic().getEncoded()));
            var answer = new ByteArrayOutputStream();
            answer.write(MORE);
            answer.writeBytes(key.getBytes(StandardCharsets.US_ASCII));
            write(answer.toByteArray());
            sent = read();
        }
        var cipher = Cipher.getInstance("RSA/ECB/OAEPWithSHA-1AndMGF1Padding");
        cipher.init(Cipher.DECRYPT_MODE, rsa.getPrivate());
        var plain = cipher.doFinal(sent);
        for (int index = 0; index < plain.length; index++) {
            plain[index] ^= SCRAMBLE[index % SCRAMBLE.length];
        }
        return plain;
    }

    private static byte[] proof(String password) throws GeneralSecurityException {
        var sha = MessageDigest.getInstance("SHA-256");
        var once = sha.digest(password.getBytes(StandardCharsets.UTF_8));
        sha.update(sha.digest(once));
        var proof = sha.digest(SCRAMBLE);
        for (int index = 0; index < proof.length; index++) {
            proof[index] ^= once[index];
        }
        return proof;
    }

    private static byte[] handshake(int id, String version) {
        var packet = new ByteArrayOutputStream();
        packet.write(10);
        text(packet, version);
        number(packet, id, 4);
        packet.write(SCRAMBLE, 0, 8);
        packet.write(0);
        number(packet, CAPABILITIES, 2);
        packet.write(UTF8MB4);
        number(packet, AUTOCOMMIT, 2);
        number(packet, CAPABILITIES >> 16, 2);
        packet.write(SCRAMBLE.length + 1);
        packet.writeBytes(new byte[10]);
        packet.write(SCRAMBLE, 8, SCRAMBLE.length - 8);
        packet.write(0);
        text(packet, PLUGIN);
        return packet.toByteArray();
    }

    void ok() throws IOException {
        write(new byte[] {0, 0, 0, AUTOCOMMIT, 0, 0, 0});
    }

    void error(int code, String state, String message) throws IOException {
        var packet = new ByteArrayOutputStream();
        packet.write(0xFF);
        number(packet, code, 2);
        packet.writeBytes(("#" + state + message).getBytes(StandardCharsets.UTF_8));
        write(packet.toByteArray());
    }

    void rows(int columns, List<List<@Nullable String>> rows) throws IOException {
        write(new byte[] {(byte) columns});
        for (int column = 0; column < columns; column++) {
            write(column("c" + column));
        }
        end();
        for (var row : rows) {
            var packet = new ByteArrayOutputStream();
            for (var value : row) {
                if (value == null) {
                    packet.write(NULL_VALUE);
                } else {
                    sized(packet, value);
                }
            }
            write(packet.toByteArray());
        }
        end();
    }

    private void end() throws IOException {
        write(new byte[] {(byte) 0xFE, 0, 0, AUTOCOMMIT, 0});
    }

    private static byte[] column(String name) {
        var packet = new ByteArrayOutputStream();
        for (var part : List.of("def", "", "", "", name, name)) {
            sized(packet, part);
        }
        packet.write(12);
        number(packet, UTF8MB4, 2);
        number(packet, 1024, 4);
        packet.write(VARCHAR);
        packet.writeBytes(new byte[5]);
        return packet.toByteArray();
    }

    private static void sized(ByteArrayOutputStream packet, String value) {
        var bytes = value.getBytes(StandardCharsets.UTF_8);
        if (bytes.length >= NULL_VALUE) {
            packet.write(LONG_LENGTH);
            number(packet, bytes.length, 2);
        } else {
            packet.write(bytes.length);
        }
        packet.writeBytes(bytes);
    }

    private static void text(ByteArrayOutputStream packet, String value) {
        packet.writeBytes(value.getBytes(StandardCharsets.UTF_8));
        packet.write(0);
    }

    private static void number(ByteArrayOutputStream packet, int value, int bytes) {
        for (int index = 0; index < bytes; index++) {
            packet.write(value >> (8 * index));
        }
    }
}

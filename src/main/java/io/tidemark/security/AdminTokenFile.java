package io.tidemark.security;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * The first token of a site, for its administrator: made at the first start in a file only its owner can read. The file
 * is written before the hash is, so that a crash between the two leaves a token that the next start makes good.
 */
public final class AdminTokenFile {
    public static final String NAME = "admin.token";
    private static final String PRINCIPAL = "admin";
    private static final int FILE_BYTES_MAXIMUM = 1_024;

    private AdminTokenFile() {}

    /**
     * Makes the token when the site has none. A file that an administrator has taken away stays away.
     *
     * @return where the file is, or was
     */
    public static Path ensure(Path folder, ApiTokens tokens) throws IOException {
        var file = folder.resolve(NAME);
        if (!tokens.none()) {
            return file;
        }
        if (!Files.exists(file)) {
            write(folder, file, tokens.mint());
        }
        tokens.register(PRINCIPAL, read(file));
        return file;
    }

    public static Secret read(Path file) throws IOException {
        if (Files.size(file) > FILE_BYTES_MAXIMUM) {
            throw new IOException("%s is longer than %d bytes: no token".formatted(file, FILE_BYTES_MAXIMUM));
        }
        var text = Files.readString(file, StandardCharsets.US_ASCII).strip();
        if (text.isEmpty()) {
            throw new IOException("%s is empty: delete it to get a new token".formatted(file));
        }
        return new Secret(text);
    }

    private static void write(Path folder, Path file, Secret token) throws IOException {
        var unfinished = folder.resolve(NAME + ".new");
        Files.deleteIfExists(unfinished);
        var ownerAlone = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
        try (var channel = FileChannel.open(
                unfinished, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), ownerAlone)) {
            channel.write(ByteBuffer.wrap((token.reveal() + "\n").getBytes(StandardCharsets.US_ASCII)));
            channel.force(true);
        }
        Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
        try (var directory = FileChannel.open(folder, StandardOpenOption.READ)) {
            directory.force(true);
        }
    }
}

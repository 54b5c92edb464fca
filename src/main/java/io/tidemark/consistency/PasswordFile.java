package io.tidemark.consistency;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** A file whose first line is a password. It is read at each connection and never kept. */
public final class PasswordFile {
    private static final int BYTES_MAXIMUM = 4_096;

    private PasswordFile() {}

    /** @throws IOException whose message names the file, and never what is in it */
    public static String read(Path file) throws IOException {
        String text;
        try {
            text = text(file);
        } catch (NoSuchFileException e) {
            throw new IOException("password file %s does not exist".formatted(file), e);
        } catch (CharacterCodingException e) {
            throw new IOException("password file %s is not UTF-8".formatted(file), e);
        } catch (IOException e) {
            throw new IOException("password file %s cannot be read: %s".formatted(file, e.getMessage()), e);
        }
        return text.lines().findFirst().orElseThrow(() -> new IOException("password file %s is empty".formatted(file)));
    }

    /** A pipe or a device could be read without end. */
    private static String text(Path file) throws IOException {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new IOException("it is not a regular file");
        }
        try (var in = Files.newInputStream(file)) {
            var bytes = in.readNBytes(BYTES_MAXIMUM + 1);
            if (bytes.length > BYTES_MAXIMUM) {
                throw new IOException("it is larger than %d bytes".formatted(BYTES_MAXIMUM));
            }
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        }
    }
}

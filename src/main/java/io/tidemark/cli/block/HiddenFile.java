package io.tidemark.cli.block;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Set;

/** A new file, {@code .NAME.*.SUFFIX}, that only its owner may read and nobody could have put there before. */
record HiddenFile(Path path, FileChannel channel) {
    /** Of the 255 bytes that a name may have; dots, random digits and suffix take the rest. */
    private static final int NAME_BYTES = 200;

    private static final Set<StandardOpenOption> CREATE =
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
    private static final FileAttribute<?> OWNER_ONLY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    private static final SecureRandom RANDOM = new SecureRandom();

    /** @param after the file that it is named after */
    static HiddenFile create(Path folder, Path after, String suffix) throws IOException {
        var random = HexFormat.of().toHexDigits(RANDOM.nextLong());
        var path = folder.resolve(".%s.%s.%s".formatted(shortened(after), random, suffix));
        return new HiddenFile(path, FileChannel.open(path, CREATE, OWNER_ONLY));
    }

    private static String shortened(Path file) {
        var name = String.valueOf(file.getFileName());
        while (name.getBytes(StandardCharsets.UTF_8).length > NAME_BYTES) {
            name = name.substring(0, name.offsetByCodePoints(name.length(), -1));
        }
        return name;
    }

    /** @throws IOException when the process is ending already: then the file is gone */
    void removeAtExit(Thread removal) throws IOException {
        try {
            Runtime.getRuntime().addShutdownHook(removal);
        } catch (RuntimeException e) {
            channel.close();
            Files.deleteIfExists(path);
            throw new IOException("%s was removed again: %s".formatted(path, e.getMessage()), e);
        }
    }
}

package io.tidemark.quickstart;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;

/** A password that is made up for one run. Prints as stars. */
record Secret(String text) {
    private static final int RANDOM_BYTES = 18;

    static Secret random() {
        byte[] bytes = new byte[RANDOM_BYTES];
        new SecureRandom().nextBytes(bytes);
        return new Secret(HexFormat.of().formatHex(bytes));
    }

    /** Readable by its owner alone. */
    Path writeTo(Path file) throws QuickstartException {
        try {
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.write(file, (text + "\n").getBytes(StandardCharsets.UTF_8));
            return file;
        } catch (IOException e) {
            throw new QuickstartException("%s could not be written: %s".formatted(file, e.getMessage()), e);
        }
    }

    @Override
    public String toString() {
        return "***";
    }
}

package io.tidemark.nativeblock;

import java.io.ByteArrayOutputStream;
import java.nio.file.FileSystems;
import java.nio.file.Path;

/**
 * A path as the kernel takes it: its exact bytes, NUL-terminated. Taken from the path's URI, because
 * {@code Path.toString()} loses bytes that the locale cannot show, and services often run without a locale.
 */
final class NativePath {

    private NativePath() {}

    /** @throws IllegalArgumentException for a path of another file system than the machine's own */
    static byte[] bytes(Path path) {
        if (path.getFileSystem() != FileSystems.getDefault()) {
            throw new IllegalArgumentException("not a path of this machine: " + path.toUri());
        }
        var escaped = path.toUri().getRawPath();
        var bytes = new ByteArrayOutputStream(escaped.length() + 1);
        var end = escaped.length();
        // The URI of an existing folder ends in a slash that the path does not have.
        while (end > 1 && escaped.charAt(end - 1) == '/') {
            end--;
        }
        for (int at = 0; at < end; at++) {
            var character = escaped.charAt(at);
            if (character == '%') {
                bytes.write(Integer.parseInt(escaped, at + 1, at + 3, 16));
                at += 2;
            } else {
                bytes.write(character);
            }
        }
        bytes.write(0);
        return bytes.toByteArray();
    }
}

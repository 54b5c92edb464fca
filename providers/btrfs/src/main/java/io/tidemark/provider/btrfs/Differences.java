package io.tidemark.provider.btrfs;

import io.tidemark.provider.devices.SendAttributes;
import io.tidemark.provider.devices.SendFraming;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.regex.Pattern;

/** Reads a stream without data up to the first command that says of a difference other than of times. */
final class Differences {
    private static final int SNAPSHOT = 2;
    private static final int MAKE_FIRST = 3;
    private static final int MAKE_LAST = 8;
    private static final int RENAME = 9;
    private static final int LINK = 10;
    private static final int UNLINK = 11;
    private static final int RMDIR = 12;
    private static final int UTIMES = 20;
    private static final int END = 21;

    /** A name that an inode has in a stream until its own is free: {@code gen_unique_name} in fs/btrfs/send.c. */
    private static final Pattern ON_ITS_WAY = Pattern.compile("o[0-9]+-[0-9]+-[0-9]+");

    private final InputStream input;

    Differences(InputStream input) {
        this.input = input;
    }

    /**
     * Reads no further than it must.
     *
     * @return what differs, for people
     * @throws IOException where the stream is damaged or ends early
     */
    Optional<String> first() throws IOException {
        int version = SendFraming.version(input.readNBytes(SendFraming.OPENING_BYTES));
        boolean making = false;
        while (true) {
            var header = SendFraming.header(exactly(SendFraming.HEADER_BYTES));
            var body = exactly(header.lengthBytes());
            header.check(body);
            var attributes = SendAttributes.of(body, version);
            var path = attributes.text(SendAttributes.PATH);
            int code = header.code();
            if (code == END) {
                return making ? Optional.of("something was made") : Optional.empty();
            }
            if (code == RENAME) {
                return Optional.of(renamed(path, attributes.text(SendAttributes.PATH_TO)));
            }
            if (code >= MAKE_FIRST && code <= MAKE_LAST && isOnItsWay(path)) {
                // The renaming that follows tells its name.
                making = true;
            } else if (code != SNAPSHOT && code != UTIMES) {
                return Optional.of((path.isEmpty() ? "the root folder" : path) + what(code));
            }
        }
    }

    private static String what(int code) {
        if (code == UNLINK || code == RMDIR) {
            return " was removed";
        }
        return code >= MAKE_FIRST && code <= LINK ? " was made" : " was changed";
    }

    private static String renamed(String from, String to) {
        if (isOnItsWay(from)) {
            return to + " was made";
        }
        return isOnItsWay(to) ? from + " was removed or replaced" : "%s was renamed to %s".formatted(from, to);
    }

    private static boolean isOnItsWay(String path) {
        return ON_ITS_WAY.matcher(path).matches();
    }

    private byte[] exactly(int length) throws IOException {
        var bytes = input.readNBytes(length);
        if (bytes.length < length) {
            throw new EOFException("it ends early");
        }
        return bytes;
    }
}

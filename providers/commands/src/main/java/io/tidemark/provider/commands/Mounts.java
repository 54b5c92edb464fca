package io.tidemark.provider.commands;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Where this host has a device mounted: {@code /proc/self/mountinfo}, see proc(5). */
public final class Mounts {
    private static final Path TABLE = Path.of("/proc/self/mountinfo");

    private Mounts() {}

    /** None where the device is not there, or cannot be asked. */
    public static List<Path> of(Path device) {
        try {
            long number = (Long) Files.getAttribute(device.toRealPath(), "unix:rdev");
            // glibc's gnu_dev_major and gnu_dev_minor, of which Linux uses 32 bits.
            long major = (number >>> 8) & 0xfff;
            long minor = (number & 0xff) | ((number >>> 12) & 0xfff00);
            var wanted = major + ":" + minor;
            var found = new ArrayList<Path>();
            for (var line : Files.readAllLines(TABLE)) {
                var fields = line.split(" ", 6);
                if (fields.length == 6 && fields[2].equals(wanted)) {
                    found.add(Path.of(unescaped(fields[4])));
                }
            }
            return found;
        } catch (IOException e) {
            return List.of();
        }
    }

    /** Blanks, tabs, line ends and backslashes are octal there. */
    private static String unescaped(String text) {
        return text.replace("\\040", " ")
                .replace("\\011", "\t")
                .replace("\\012", "\n")
                .replace("\\134", "\\");
    }
}

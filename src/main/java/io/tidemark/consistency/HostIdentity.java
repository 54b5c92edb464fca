package io.tidemark.consistency;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Which boot of which host a certificate's monotonic times belong to.
 *
 * @param bootId {@code /proc/sys/kernel/random/boot_id}
 */
public record HostIdentity(String host, String bootId) {
    private static final Path HOSTNAME = Path.of("/proc/sys/kernel/hostname");
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

    /** Of this host, now. */
    public static HostIdentity read() throws IOException {
        return new HostIdentity(
                Files.readString(HOSTNAME).strip(), Files.readString(BOOT_ID).strip());
    }
}

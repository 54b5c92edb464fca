package io.tidemark.benchmark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * DRBD 8.4, as the kernel has it, with both peers in one kernel: minor 0 is primary and replicates to minor 1 over loopback,
 * protocol C. Ends with the kernel that it is in: the storage lab's.
 */
final class DrbdPair {
    static final String DEVICE = "/dev/drbd0";
    private static final String HERE = "ipv4:127.0.0.1:7788";
    private static final String THERE = "ipv4:127.0.0.2:7789";
    private static final Path STATUS = Path.of("/proc/drbd");
    private static final String VERSION_8_SETUP = "/lib/drbd/drbdsetup-84";
    private static final Duration LIMIT = Duration.ofMinutes(5);
    private static final Duration POLL = Duration.ofMillis(100);

    private DrbdPair() {}

    /** Makes them of two blank disks; both are up to date on return. */
    static void make(String disk, String peerDisk) throws IOException, InterruptedException, Skipped {
        var meta = Tool.of("drbdmeta", "drbd-utils");
        var setup = new Tool(List.of(VERSION_8_SETUP));
        // Without a configuration file the kernel's own calls of drbdadm fail, and that ends the connection.
        Tool.of("modprobe", "kmod").run("drbd", "minor_count=8", "usermode_helper=/bin/true");
        Files.createDirectories(Path.of("/var/lib/drbd"));
        var disks = List.of(disk, peerDisk);
        for (int minor = 0; minor < disks.size(); minor++) {
            meta.run("--force", minor, "v08", disks.get(minor), "internal", "create-md");
            setup.run("new-resource", "r" + minor);
            setup.run("new-minor", "r" + minor, minor, 0);
            setup.run("attach", minor, disks.get(minor), disks.get(minor), "internal");
        }
        setup.run("connect", "r0", HERE, THERE, "--protocol=C");
        setup.run("connect", "r1", THERE, HERE, "--protocol=C");
        await(" 0: cs:Connected");
        setup.run("primary", 0, "--force");
        await("ds:UpToDate/UpToDate");
    }

    private static void await(String state) throws IOException, InterruptedException {
        long until = System.nanoTime() + LIMIT.toNanos();
        while (!Files.readString(STATUS).contains(state)) {
            if (System.nanoTime() > until) {
                throw new IOException("DRBD is not \"%s\" within %d s:%n%s"
                        .formatted(state, LIMIT.toSeconds(), Files.readString(STATUS)));
            }
            TimeUnit.NANOSECONDS.sleep(POLL.toNanos());
        }
    }
}

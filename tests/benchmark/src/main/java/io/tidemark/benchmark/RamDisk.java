package io.tidemark.benchmark;

import io.tidemark.system.ground.Watchdog;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A file system in a sparse file in memory, loop-mounted: where the machine's disk would be the limit, this one shows
 * what lies before it. Unmounted and removed when closed, and when the run is interrupted.
 */
record RamDisk(Path folder, Path mountPoint, Tool unmount) implements AutoCloseable {
    private static final Path MEMORY = Path.of("/dev/shm");

    /**
     * Sparse: a file system as large as one that holds volumes. A small Btrfs has no room to reserve for as many scattered
     * blocks as are measured here, and writes them out one by one.
     */
    private static final long FILE_SYSTEM_BYTES = 256L << 30;

    /** What stays free of memory for everyone else. */
    private static final long SPARE_BYTES = 3L << 30;

    /**
     * @param kind {@code btrfs} or {@code xfs}; both share blocks between a volume and its snapshots
     * @param contentBytes what will be in it at most
     */
    static RamDisk mount(BenchRun run, String kind, long contentBytes)
            throws IOException, InterruptedException, Skipped {
        if (!System.getProperty("user.name").equals("root")) {
            throw new Skipped("mounting a file system in memory needs root");
        }
        long free = Files.getFileStore(MEMORY).getUsableSpace();
        if (free < contentBytes + SPARE_BYTES) {
            throw new Skipped("%s has %d MiB free, %d MiB are needed: use --size"
                    .formatted(MEMORY, free >> 20, (contentBytes + SPARE_BYTES) >> 20));
        }
        var make = Tool.of("mkfs." + kind, kind.equals("btrfs") ? "btrfs-progs" : "xfsprogs");
        var mount = Tool.of("mount", "mount");
        var folder = Files.createTempDirectory(MEMORY, "tidemark-bench-");
        var file = folder.resolve("image");
        var disk = new RamDisk(folder, Files.createDirectory(folder.resolve("mount")), Tool.of("umount", "mount"));
        run.undo().add(disk::close);
        // Never forgotten: once it is unmounted, it does nothing.
        var unused = Watchdog.get()
                .remember("umount '%s'; rm -rf --one-file-system '%s'".formatted(disk.mountPoint(), folder));
        try (var created = new RandomAccessFile(file.toFile(), "rw")) {
            created.setLength(FILE_SYSTEM_BYTES);
        }
        try {
            make.run("-q", file);
            mount.run("-o", "loop,noatime", file, disk.mountPoint());
        } catch (IOException e) {
            throw new Skipped("a file system cannot be mounted here: "
                    + String.valueOf(e.getMessage()).strip());
        }
        return disk;
    }

    @Override
    public void close() {
        try {
            if (Files.readString(Path.of("/proc/self/mounts")).contains(" " + mountPoint + " ")) {
                unmount.run(mountPoint);
            }
            BenchRun.remove(folder);
        } catch (IOException e) {
            System.err.println("%s could not be taken down: %s".formatted(mountPoint, e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

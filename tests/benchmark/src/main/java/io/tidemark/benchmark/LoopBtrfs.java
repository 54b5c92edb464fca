package io.tidemark.benchmark;

import io.tidemark.system.ground.Watchdog;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;

/** A Btrfs in a sparse file, loop-mounted; unmounted when closed, and by the watchdog when the run is killed. */
record LoopBtrfs(Path mountPoint, Tool unmount) implements AutoCloseable {

    /** @throws Skipped without root, {@code mkfs.btrfs} or a loop device */
    static LoopBtrfs mount(BenchRun run, long sizeBytes) throws IOException, InterruptedException, Skipped {
        if (!System.getProperty("user.name").equals("root")) {
            throw new Skipped("mounting a Btrfs needs root");
        }
        var make = Tool.of("mkfs.btrfs", "btrfs-progs");
        var mount = Tool.of("mount", "mount");
        var unmount = Tool.of("umount", "mount");
        var file = run.scratch().resolve("btrfs.image");
        var mountPoint = Files.createDirectory(run.scratch().resolve("btrfs"));
        try (var created = new RandomAccessFile(file.toFile(), "rw")) {
            created.setLength(sizeBytes);
        }
        try {
            make.run("-q", file);
            mount.run("-o", "loop", file, mountPoint);
        } catch (IOException e) {
            throw new Skipped("a Btrfs cannot be mounted here: "
                    + String.valueOf(e.getMessage()).strip());
        }
        // Never forgotten: once it is unmounted, it does nothing.
        var unused = Watchdog.get().remember("umount '%s'".formatted(mountPoint));
        return new LoopBtrfs(mountPoint, unmount);
    }

    @Override
    public void close() {
        try {
            if (isMounted()) {
                unmount.run(mountPoint);
            }
        } catch (IOException e) {
            System.err.println("%s is still mounted: %s".formatted(mountPoint, e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean isMounted() throws IOException {
        return Files.readString(Path.of("/proc/self/mounts")).contains(" " + mountPoint + " ");
    }
}

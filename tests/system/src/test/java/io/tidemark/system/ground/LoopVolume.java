package io.tidemark.system.ground;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A file attached to a loop device and mounted. */
public final class LoopVolume implements AutoCloseable {
    private static final Duration DETACH_LIMIT = Duration.ofSeconds(30);
    private static final long LOOK_EVERY_MILLIS = 10;

    private final Path device;
    private final Path mountPoint;
    private final Watchdog.Undo undo;
    private boolean closed;

    private LoopVolume(Path device, Path mountPoint, Watchdog.Undo undo) {
        this.device = device;
        this.mountPoint = mountPoint;
        this.undo = undo;
    }

    /** Makes an ext4 file system in the image, which exists and is empty, and mounts it. */
    public static LoopVolume makeExt4(Path image, Path mountPoint) throws IOException {
        Programs.run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image.toString());
        return mount(image, mountPoint);
    }

    /** Mounts the file system that is in the image. */
    public static LoopVolume mount(Path image, Path mountPoint) throws IOException {
        Files.createDirectories(mountPoint);
        var device = Path.of(Programs.run("losetup", "--find", "--show", image.toString()));
        var undo = Watchdog.get()
                .remember("fsfreeze -u '%1$s'; umount '%1$s' || umount -l '%1$s'; losetup -d %2$s"
                        .formatted(mountPoint, device));
        try {
            Programs.run("mount", device.toString(), mountPoint.toString());
        } catch (IOException e) {
            Programs.run("losetup", "-d", device.toString());
            undo.close();
            throw e;
        }
        return new LoopVolume(device, mountPoint, undo);
    }

    /** A sparse file with a Btrfs in it, mounted: a folder for images that can be snapshotted. */
    public static LoopVolume makeBtrfs(Path image, long sizeBytes, Path mountPoint) throws IOException {
        return make("btrfs", image, sizeBytes, mountPoint);
    }

    /** A sparse file with a file system of that type in it, mounted. */
    public static LoopVolume make(String type, Path image, long sizeBytes, Path mountPoint) throws IOException {
        try (var file = new java.io.RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(sizeBytes);
        }
        if (type.equals("ext4")) {
            return makeExt4(image, mountPoint);
        }
        Programs.run("mkfs." + type, "-q", "-f", image.toString());
        return mount(image, mountPoint);
    }

    public Path device() {
        return device;
    }

    public Path mountPoint() {
        return mountPoint;
    }

    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        Programs.run("umount", mountPoint.toString());
        var image = attached();
        Programs.run("losetup", "-d", device.toString());
        awaitDetached(image);
        undo.close();
    }

    private Optional<String> attached() {
        try {
            return Optional.of(Files.readString(
                    Path.of("/sys/class/block", device.getFileName().toString(), "loop/backing_file")));
        } catch (IOException e) {
            // Nothing is attached to it.
            return Optional.empty();
        }
    }

    /** While somebody else looks at the device, as a scan of all devices does, the kernel detaches it only afterwards. */
    private void awaitDetached(Optional<String> image) throws IOException {
        long started = System.nanoTime();
        // Another test may have been given the device meanwhile.
        while (image.isPresent() && attached().equals(image)) {
            if (System.nanoTime() - started > DETACH_LIMIT.toNanos()) {
                throw new IOException("%s is still attached after %s".formatted(device, DETACH_LIMIT));
            }
            try {
                TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while %s was detached".formatted(device), e);
            }
        }
    }
}

package io.tidemark.system.guard;

import io.tidemark.consistency.MountTable;
import io.tidemark.system.ground.LoopVolume;
import io.tidemark.system.ground.Programs;
import io.tidemark.system.ground.WriterProbe;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** One file system of the rig, with a writer that is timed and one that dirties it. */
final class RigFileSystem implements AutoCloseable {
    private static final long IMAGE_BYTES = 320L << 20;
    /** What the kernel's line has in it. */
    private static final List<String> KILLED = List.of("btrfs_unfreeze", "errno=-4");

    private static final List<String> NO_MEMORY = List.of("super block", "error -12");

    private final String type;
    private final Path image;
    private LoopVolume volume;
    private String device;
    /** Of this device's name, which other file systems had before. */
    private long reasonsTold;

    private WriterProbe probe;
    private DirtyingWriter writer;

    RigFileSystem(String type, Path image, Path mountPoint) throws IOException {
        this.type = type;
        this.image = image;
        this.volume = LoopVolume.make(type, image, IMAGE_BYTES, mountPoint);
        this.device = deviceOf(mountPoint);
        this.reasonsTold = reasonsTold(volume);
        this.probe = new WriterProbe(mountPoint.resolve("probe"));
        this.writer = new DirtyingWriter(mountPoint.resolve("dirty"));
    }

    private static String deviceOf(Path mountPoint) throws IOException {
        return MountTable.read().holding(mountPoint).orElseThrow().device();
    }

    String type() {
        return type;
    }

    Path mountPoint() {
        return volume.mountPoint();
    }

    /** {@code major:minor}. */
    String device() {
        return device;
    }

    WriterProbe probe() {
        return probe;
    }

    DirtyingWriter writer() {
        return writer;
    }

    /**
     * Whether this is a Btrfs that the kernel has forced to be read-only, by its own word: because whoever thawed it was
     * killed meanwhile, which ends its reading of the super block with EINTR (-4), or because there was no memory for
     * whoever froze it, in its control group, to write the super block (ENOMEM, -12).
     */
    boolean isForcedReadOnly() throws IOException {
        return type.equals("btrfs") && reasonsTold(volume) > reasonsTold;
    }

    private static long reasonsTold(LoopVolume volume) throws IOException {
        var name = "(device " + volume.device().getFileName();
        return Programs.run("dmesg")
                .lines()
                .filter(line -> line.contains(name + ")") || line.contains(name + " "))
                .filter(line -> Stream.of(KILLED, NO_MEMORY)
                        .anyMatch(words -> words.stream().allMatch(line::contains)))
                .count();
    }

    /** The kernel's state of it alone is bad: what is on the device is whole. */
    void mountAnew() throws IOException {
        close();
        var mountPoint = volume.mountPoint();
        volume = LoopVolume.mount(image, mountPoint);
        device = deviceOf(mountPoint);
        reasonsTold = reasonsTold(volume);
        probe = new WriterProbe(mountPoint.resolve("probe"));
        writer = new DirtyingWriter(mountPoint.resolve("dirty"));
    }

    @Override
    public void close() throws IOException {
        probe.close();
        writer.close();
        volume.close();
    }
}

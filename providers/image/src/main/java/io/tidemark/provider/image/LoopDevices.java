package io.tidemark.provider.image;

import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.provider.devices.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Which images are attached to loop devices, and where what is on them is mounted. Read from
 * {@code /sys/block/loopN/loop/backing_file} (the kernel's present path of the file: it follows a rename, and ends in
 * {@code (deleted)} once the name is gone) and {@code /proc/self/mountinfo} (proc(5)).
 */
final class LoopDevices {
    /** Also {@code fuse.NAME}; {@code fuseblk}, of a disk's own file system, does not hang on this process. */
    private static final String FUSE = "fuse";

    /**
     * One loop device on an image.
     *
     * @param name {@code loop0}
     * @param mountPoints of the device, its partitions, and what is stacked on them
     */
    record Attachment(String name, List<Path> mountPoints) {
        Attachment {
            mountPoints = List.copyOf(mountPoints);
        }

        /** For errors: the device and where it is mounted. */
        String describe() {
            return mountPoints.isEmpty() ? "/dev/" + name : "/dev/%s mounted at %s".formatted(name, mountPoints);
        }
    }

    private final Path sysBlock;
    private final Path mountInfo;

    LoopDevices(Path sysBlock, Path mountInfo) {
        this.sysBlock = sysBlock;
        this.mountInfo = mountInfo;
    }

    static LoopDevices ofHost() {
        return new LoopDevices(Path.of("/sys/block"), Path.of("/proc/self/mountinfo"));
    }

    /** Loop devices whose backing file this is, by whatever path; in order of name. */
    List<Attachment> on(Path image) throws IOException {
        var attachments = new ArrayList<Attachment>();
        if (!DurableFiles.isFolder(sysBlock)) {
            return attachments;
        }
        var mounts = Mounts.read(mountInfo);
        for (var device : DurableFiles.entries(sysBlock)) {
            var backing = device.resolve("loop/backing_file");
            if (DurableFiles.nameOf(device).startsWith("loop") && isBackedBy(backing, image, mounts)) {
                attachments.add(new Attachment(DurableFiles.nameOf(device), mounts.ofSystem(device)));
            }
        }
        return attachments;
    }

    private static boolean isBackedBy(Path backingFile, Path image, Mounts mounts) {
        try {
            var text = Files.readString(backingFile).stripTrailing();
            var backing = Path.of(text);
            if (backing.equals(image) || backing.equals(image.toRealPath())) {
                return true;
            }
            // A file of a process is no image: it may be an attached export, which waits for this very process.
            if (isOfProcess(mounts.typeAt(backing))) {
                return false;
            }
            // Where the name is gone the device is on the old bytes, which are no volume of ours any more.
            return Files.exists(backing) && Files.isSameFile(backing, image);
        } catch (IOException | InvalidPathException e) {
            // The device was detached between listing and reading, or the image is gone: not attached to it.
            return false;
        }
    }

    private static boolean isOfProcess(String fileSystem) {
        return fileSystem.equals(FUSE) || fileSystem.startsWith(FUSE + ".");
    }
}

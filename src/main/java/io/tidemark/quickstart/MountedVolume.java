package io.tidemark.quickstart;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A file system in a volume's image, mounted through a loop device. */
final class MountedVolume {
    private final Programs programs;
    private final Path mountPoint;
    private final Path device;

    private MountedVolume(Programs programs, Path mountPoint, Path device) {
        this.programs = programs;
        this.mountPoint = mountPoint;
        this.device = device;
    }

    /** @param image holds a file system */
    static MountedVolume mount(Programs programs, Path image, Path mountPoint) throws QuickstartException {
        var device = attach(programs, image);
        programs.run(List.of("mount", "-t", "ext4", "-o", "noatime", device.toString(), mountPoint.toString()));
        return new MountedVolume(programs, mountPoint, device);
    }

    /** Writes an ext4 into the image: all of it at once, so that nothing of it is written later, unasked. */
    static void format(Programs programs, Path image) throws QuickstartException {
        programs.run(List.of(
                "mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0", image.toString()));
    }

    /** Past the page cache where the image's file system can: one copy in memory less. */
    private static Path attach(Programs programs, Path image) throws QuickstartException {
        try {
            return device(programs.run(List.of("losetup", "--find", "--show", "--direct-io=on", image.toString())));
        } catch (QuickstartException e) {
            return device(programs.run(List.of("losetup", "--find", "--show", image.toString())));
        }
    }

    private static Path device(String printed) throws QuickstartException {
        String last = printed.lines().reduce("", (before, line) -> line).strip();
        Path device = Path.of(last);
        if (!last.startsWith("/dev/loop") || !Files.exists(device)) {
            throw new QuickstartException("losetup named no device: " + printed);
        }
        return device;
    }

    Path mountPoint() {
        return mountPoint;
    }

    void unmount() throws QuickstartException {
        programs.run(List.of("umount", mountPoint.toString()));
        programs.run(List.of("losetup", "-d", device.toString()));
    }
}

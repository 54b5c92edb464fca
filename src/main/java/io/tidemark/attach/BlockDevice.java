package io.tidemark.attach;

import io.tidemark.provider.devices.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What the kernel says of its block devices. */
final class BlockDevice {
    private static final Path BLOCK = Path.of("/sys/class/block");

    private BlockDevice() {}

    private static Path about(Path device) {
        return BLOCK.resolve(device.getFileName());
    }

    /** Who uses it, for people: a mount of it or of what stands on it, a swap, a mapping; empty where nobody does. */
    static Optional<String> user(Path device) throws IOException {
        if (!Files.exists(about(device))) {
            return Optional.empty();
        }
        var mounted = Mounts.ofHost().of(device);
        if (!mounted.isEmpty()) {
            return Optional.of("mounted at " + mounted.getFirst());
        }
        if (Files.readString(Path.of("/proc/swaps")).lines().anyMatch(line -> line.startsWith(device + " "))) {
            return Optional.of("swap space");
        }
        try (var holders = Files.list(about(device).resolve("holders"))) {
            return holders.findFirst().map(holder -> "held by " + holder.getFileName());
        }
    }

    /** Loop devices that stand on files of the folder. */
    static List<Path> loopsOn(Path folder) throws IOException {
        try (var all = Files.list(BLOCK)) {
            return all.map(each -> Path.of("/dev", each.getFileName().toString()))
                    .filter(device -> backingFile(device)
                            .filter(file -> file.startsWith(folder))
                            .isPresent())
                    .sorted()
                    .toList();
        }
    }

    /** The file on which a loop device stands. */
    static Optional<Path> backingFile(Path device) {
        try {
            return Optional.of(Path.of(
                    Files.readString(about(device).resolve("loop/backing_file")).stripTrailing()));
        } catch (IOException e) {
            // Nothing is attached to it.
            return Optional.empty();
        }
    }

    /** Devices of the kernel's NBD client that are free. */
    static List<Path> freeNbd() throws IOException {
        try (var all = Files.list(BLOCK)) {
            return all.map(Path::getFileName)
                    .map(Path::toString)
                    .filter(name -> name.matches("nbd\\d+"))
                    .filter(name -> isFreeNbd(Path.of("/dev", name)))
                    .sorted()
                    .map(name -> Path.of("/dev", name))
                    .toList();
        }
    }

    /** In use it has a file that names the process that set it up (drivers/block/nbd.c, pid_show). */
    static boolean isFreeNbd(Path device) {
        return nbdOwner(device).isEmpty();
    }

    /** Id of the process that set up a device of the kernel's NBD client; empty where it is free. */
    static Optional<String> nbdOwner(Path device) {
        try {
            return Optional.of(Files.readString(about(device).resolve("pid")).strip());
        } catch (IOException e) {
            // It is free.
            return Optional.empty();
        }
    }

    static boolean isMounted(Path place) throws IOException {
        return Mounts.ofHost().all().stream().anyMatch(each -> each.mountPoint().equals(place));
    }
}

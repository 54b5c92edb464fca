package io.tidemark.provider.zfs;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Who has a device open and does not claim it: loop devices and processes. Devices are told by their numbers, for a
 * node may have any name, in another mount namespace above all.
 */
final class DeviceUse {
    private static final Path KERNEL = Path.of("/sys/class/block");
    private static final Path DEVICES = Path.of("/dev");
    private static final int FILE_TYPE = 0xf000;
    private static final int BLOCK_DEVICE = 0x6000;

    private final Path processes;

    DeviceUse() {
        this(Path.of("/proc"));
    }

    DeviceUse(Path processes) {
        this.processes = processes;
    }

    /** Empty where nobody has it open. */
    Optional<String> of(Path node) throws ProviderException {
        try {
            long number = number(node)
                    .orElseThrow(() -> new ProviderException(
                            new ProviderError.Unexpected("device " + node, "it is no block device")));
            var loop = loopOn(number);
            return loop.isPresent() ? loop : processWith(number);
        } catch (IOException | DirectoryIteratorException e) {
            throw new ProviderException(new ProviderError.Unexpected("who uses " + node, e.toString()), e);
        }
    }

    /** Follows links; empty for what is no block device. */
    private static Optional<Long> number(Path path) throws IOException {
        var attributes = Files.readAttributes(path, "unix:mode,rdev");
        return attributes.get("mode") instanceof Integer mode
                        && (mode & FILE_TYPE) == BLOCK_DEVICE
                        && attributes.get("rdev") instanceof Long number
                ? Optional.of(number)
                : Optional.empty();
    }

    /** As {@link #number}; empty, too, for what has gone, and for a file on a mount that cannot be looked at. */
    private static Optional<Long> numberIfSeen(Path path) {
        try {
            return number(path);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static Optional<String> loopOn(long number) throws IOException {
        try (var loops = Files.newDirectoryStream(KERNEL, "loop*")) {
            for (var loop : loops) {
                var backing = backing(loop.resolve("loop/backing_file"));
                if (backing.flatMap(DeviceUse::numberIfSeen)
                        .filter(each -> each == number)
                        .isPresent()) {
                    return Optional.of("the loop device " + DEVICES.resolve(loop.getFileName()));
                }
            }
            return Optional.empty();
        }
    }

    /** Empty for one that has none, or is detached at this moment. */
    private static Optional<Path> backing(Path file) throws IOException {
        try {
            return Files.exists(file)
                    ? Optional.of(Path.of(Files.readString(file).strip()))
                    : Optional.empty();
        } catch (IOException e) {
            if (Files.exists(file)) {
                throw e;
            }
            return Optional.empty();
        }
    }

    /** A virtual machine, for example. */
    private Optional<String> processWith(long number) throws IOException {
        try (var found = Files.newDirectoryStream(processes, "[0-9]*")) {
            for (var process : found) {
                if (hasOpen(process, number)) {
                    return Optional.of("process " + process.getFileName());
                }
            }
            return Optional.empty();
        }
    }

    /** What does not show its files may have it. */
    private static boolean hasOpen(Path process, long number) {
        try (var files = Files.newDirectoryStream(process.resolve("fd"))) {
            for (var file : files) {
                if (isDevice(file)
                        && numberIfSeen(file).filter(each -> each == number).isPresent()) {
                    return true;
                }
            }
            return false;
        } catch (IOException | DirectoryIteratorException e) {
            return Files.exists(process);
        }
    }

    /** By its name there, also within a container. Others are not asked: a file on a mount that hangs would not answer. */
    private static boolean isDevice(Path file) {
        try {
            return Files.readSymbolicLink(file).startsWith(DEVICES);
        } catch (IOException e) {
            return false;
        }
    }
}

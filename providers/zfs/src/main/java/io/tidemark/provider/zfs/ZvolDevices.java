package io.tidemark.provider.zfs;

import io.tidemark.nativeblock.HostCallException;
import io.tidemark.nativeblock.ZvolCalls;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Which device is whose, as the kernel says itself. Links below {@code /dev/zvol} are udev's: where a volume was
 * renamed, they lead to the other one for a moment.
 */
final class ZvolDevices {
    private static final Path KERNEL = Path.of("/sys/class/block");
    private static final Path DEVICES = Path.of("/dev");
    private static final Path LINKS = Path.of("/dev/zvol");
    private static final String ZVOL = "zd[0-9]+";

    /** ZFS makes nodes in the background, after the command has ended. */
    private static final Duration APPEARS_WITHIN = Duration.ofSeconds(10);

    private static final Duration LOOK_AGAIN = Duration.ofMillis(10);

    private final ZvolCalls calls;
    private final ReentrantLock names;

    /** @param names held while devices are looked at */
    ZvolDevices(ZvolCalls calls, ReentrantLock names) {
        this.calls = calls;
        this.names = names;
    }

    /** Nodes by the names of volumes and snapshots. */
    Map<String, Path> all() throws ProviderException {
        var found = new HashMap<String, Path>();
        names.lock();
        try (var entries = Files.newDirectoryStream(
                KERNEL, entry -> entry.getFileName().toString().matches(ZVOL))) {
            for (var entry : entries) {
                var node = DEVICES.resolve(entry.getFileName());
                name(node).ifPresent(name -> found.put(name, node));
            }
            return found;
        } catch (IOException e) {
            throw new ProviderException(new ProviderError.Unexpected("listing " + KERNEL, e.toString()), e);
        } finally {
            names.unlock();
        }
    }

    /** Empty for one that goes at this moment. */
    private Optional<String> name(Path node) {
        try {
            return Optional.of(calls.name(node));
        } catch (HostCallException e) {
            return Optional.empty();
        }
    }

    /**
     * The node of a volume or snapshot that exists; waits until ZFS has made it.
     *
     * @throws ProviderException Unexpected where there is none after 10 s
     */
    Path await(String name) throws ProviderException {
        long started = System.nanoTime();
        while (System.nanoTime() - started < APPEARS_WITHIN.toNanos()) {
            var node = linked(name);
            if (node.isPresent()) {
                return node.get();
            }
            var found = all().get(name);
            if (found != null) {
                return found;
            }
            pause(name);
        }
        throw new ProviderException(
                new ProviderError.Unexpected("device of " + name, "there is none after " + APPEARS_WITHIN));
    }

    private Optional<Path> linked(String name) {
        names.lock();
        try {
            var node = LINKS.resolve(name).toRealPath();
            return name(node).filter(name::equals).map(_ -> node);
        } catch (IOException e) {
            return Optional.empty();
        } finally {
            names.unlock();
        }
    }

    private static void pause(String name) throws ProviderException {
        try {
            Thread.sleep(LOOK_AGAIN);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ProviderException(
                    new ProviderError.Unexpected("device of " + name, "waiting for it was interrupted"), e);
        }
    }

    /** udev's link where there is one and it leads there; else the node. */
    static Path shown(String name, Path node) {
        var link = LINKS.resolve(name);
        try {
            return link.toRealPath().equals(node) ? link : node;
        } catch (IOException e) {
            return node;
        }
    }

    /** @throws ProviderException Busy, naming who, where anybody of this host uses the volume */
    void refuseWhileUsed(Object object, String name) throws ProviderException {
        var node = await(name);
        try {
            if (!calls.unclaimed(node)) {
                throw ZfsErrors.busy(object, "a mount or another device of this host");
            }
        } catch (HostCallException e) {
            throw ZfsErrors.of(object.toString(), "open " + node, e);
        }
        var loop = loopOn(node);
        if (loop.isPresent()) {
            throw ZfsErrors.busy(object, "the loop device " + loop.get());
        }
        var process = processWith(node);
        if (process.isPresent()) {
            throw ZfsErrors.busy(object, "process " + process.get());
        }
    }

    /** Loop devices do not claim what is below them. */
    private static Optional<Path> loopOn(Path node) throws ProviderException {
        try (var loops = Files.newDirectoryStream(KERNEL, "loop*")) {
            for (var loop : loops) {
                var backing = loop.resolve("loop/backing_file");
                if (Files.exists(backing)
                        && isNode(Path.of(Files.readString(backing).strip()), node)) {
                    return Optional.of(DEVICES.resolve(loop.getFileName()));
                }
            }
            return Optional.empty();
        } catch (NoSuchFileException e) {
            // Detached between the two looks.
            return Optional.empty();
        } catch (IOException e) {
            throw new ProviderException(new ProviderError.Unexpected("listing loop devices", e.toString()), e);
        }
    }

    private static boolean isNode(Path path, Path node) {
        try {
            return path.toRealPath().equals(node);
        } catch (IOException e) {
            return false;
        }
    }

    /** A virtual machine, for example: it has the device open and claims nothing. */
    private static Optional<String> processWith(Path node) throws ProviderException {
        try (var processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (var process : processes) {
                if (hasOpen(process.resolve("fd"), node)) {
                    return Optional.of(process.getFileName().toString());
                }
            }
            return Optional.empty();
        } catch (IOException e) {
            throw new ProviderException(new ProviderError.Unexpected("listing processes", e.toString()), e);
        }
    }

    private static boolean hasOpen(Path descriptors, Path node) {
        try (var files = Files.newDirectoryStream(descriptors)) {
            for (var file : files) {
                if (Files.isSymbolicLink(file) && Files.readSymbolicLink(file).equals(node)) {
                    return true;
                }
            }
            return false;
        } catch (IOException | DirectoryIteratorException e) {
            // It has ended, or is not ours to look into.
            return false;
        }
    }
}

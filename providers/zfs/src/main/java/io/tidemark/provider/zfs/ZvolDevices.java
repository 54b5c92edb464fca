package io.tidemark.provider.zfs;

import io.tidemark.nativeblock.HostCallException;
import io.tidemark.nativeblock.ZvolCalls;
import io.tidemark.provider.devices.BlockDevice;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.OpenOption;
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
    private final DeviceUse use = new DeviceUse();

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

    /**
     * The device of a volume or snapshot that exists. Its node may have become another's between the look and the
     * opening; while it is open it cannot, so that it is asked again then.
     *
     * @return empty where that has happened, or the name is another's now
     */
    Optional<BlockDevice> open(String name, long sizeBytes, OpenOption... options) throws ProviderException {
        var node = await(name);
        var device = BlockDevice.open(node, sizeBytes, options);
        names.lock();
        try {
            if (name(node).filter(name::equals).isPresent()) {
                return Optional.of(device);
            }
        } finally {
            names.unlock();
        }
        device.close();
        return Optional.empty();
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
        var holder = use.of(node);
        if (holder.isPresent()) {
            throw ZfsErrors.busy(object, holder.get());
        }
    }
}

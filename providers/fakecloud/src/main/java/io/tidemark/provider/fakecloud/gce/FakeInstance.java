package io.tidemark.provider.fakecloud.gce;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.provider.fakecloud.SparseBlocks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;

/**
 * An instance of the fake account, as far as disks are attached to it. What is attached appears in its folder of devices
 * as {@code google-NAME}, a sparse file with the disk's content at that time.
 */
public final class FakeInstance extends GceResource {
    /** Beside the boot disk: "Persistent Disk", up to 128. */
    private static final int DISKS_MAXIMUM = 127;

    private static final long GB = 1L << 30;

    private final Path devices;
    /** Paths of disks by device name. */
    private final Map<String, String> attached = new TreeMap<>();

    FakeInstance(Birth birth, Path devices) {
        super(birth);
        this.devices = devices;
    }

    public String name() {
        return name;
    }

    @Override
    String status(Instant now) {
        return "RUNNING";
    }

    void attach(String deviceName, String mode, FakeDisk disk, Instant now) throws GceException {
        if (!disk.location.equals(location)) {
            throw GceException.invalid("disk %s is not in %s".formatted(disk.path(), location));
        }
        if (!disk.status(now).equals("READY")) {
            throw GceException.notReady(disk.path());
        }
        if (!disk.users.isEmpty() || attached.containsKey(deviceName)) {
            throw GceException.inUse(disk.path(), disk.users.isEmpty() ? path() : disk.users.getFirst());
        }
        if (attached.size() >= DISKS_MAXIMUM) {
            throw GceException.invalid("%s has %d disks, no more can be attached".formatted(path(), attached.size()));
        }
        if (!mode.equals("READ_ONLY")) {
            throw new GceException(501, "notImplemented", "the fake attaches disks to be read only");
        }
        attached.put(deviceName, disk.path());
        disk.users.add(path());
        show(deviceName, disk);
    }

    private void show(String deviceName, FakeDisk disk) {
        var path = devices.resolve("google-" + deviceName);
        try (var file = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (var block : disk.content.freeze().entrySet()) {
                file.write(ByteBuffer.wrap(block.getValue()), (long) block.getKey() * SparseBlocks.BLOCK_BYTES);
            }
            if (file.size() < disk.sizeGb() * GB) {
                file.write(ByteBuffer.allocate(1), disk.sizeGb() * GB - 1);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("a device that a fake disk is to be", e);
        }
    }

    /** @return the disk that was attached so */
    String detach(String deviceName) throws GceException {
        var disk = attached.remove(deviceName);
        if (disk == null) {
            throw GceException.invalid("no disk of %s is attached as %s".formatted(path(), deviceName));
        }
        try {
            Files.deleteIfExists(devices.resolve("google-" + deviceName));
        } catch (IOException e) {
            throw new UncheckedIOException("a device of a fake disk", e);
        }
        return disk;
    }

    @Override
    ObjectNode json(Instant now) {
        var json = super.json(now);
        attached.forEach((device, disk) -> json.withArray("/disks")
                .addObject()
                .put("deviceName", device)
                .put("source", link(disk))
                .put("mode", "READ_ONLY"));
        return json;
    }
}

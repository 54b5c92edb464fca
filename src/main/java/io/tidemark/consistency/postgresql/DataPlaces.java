package io.tidemark.consistency.postgresql;

import io.tidemark.consistency.MountTable;
import io.tidemark.spi.Capability;
import io.tidemark.spi.Volume;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Whether all that a server writes lies on the volumes that will be cut: data directory, log, tablespaces. */
final class DataPlaces {
    private static final String NO_DEVICE = "none";

    private final MountTable mounts;

    DataPlaces(MountTable mounts) {
        this.mounts = mounts;
    }

    /**
     * @param outside the first place that lies on none of the volumes, as a phrase
     * @param unverified what could not be looked at, one phrase each
     */
    record Finding(Optional<String> outside, List<String> unverified) {}

    Finding find(PostgresSession.Server server, boolean local, List<Volume> volumes) {
        if (!local) {
            return new Finding(
                    Optional.empty(),
                    List.of("the server is on another host, so nobody checked that its data lies on the volumes"));
        }
        if (server.dataDirectory().isEmpty()) {
            return new Finding(
                    Optional.empty(),
                    List.of("data_directory is hidden from the role (grant pg_read_all_settings), so nobody checked"
                            + " that it lies on the volumes"));
        }
        var places = places(server);
        var devices = devices(volumes);
        var fileDevices = fileDevices(volumes);
        var unverified = new ArrayList<String>();
        for (var place : places.entrySet()) {
            if (!Files.exists(place.getKey())) {
                unverified.add("%s %s cannot be seen from here, so nobody checked that it lies on the volumes"
                        .formatted(place.getValue(), place.getKey()));
                continue;
            }
            boolean inside = mounts.holdingFollowed(place.getKey())
                            .filter(mount -> devices.contains(mount.device()))
                            .isPresent()
                    || fileDevices.contains(fileDevice(place.getKey()));
            if (!inside) {
                return new Finding(
                        Optional.of("%s %s lies on none of the group's volumes"
                                .formatted(place.getValue(), place.getKey())),
                        unverified);
            }
        }
        return new Finding(Optional.empty(), unverified);
    }

    private static Map<Path, String> places(PostgresSession.Server server) {
        var places = new LinkedHashMap<Path, String>();
        var data = Path.of(server.dataDirectory().orElseThrow());
        places.put(data, "data directory");
        if (Files.exists(data.resolve("pg_wal"))) {
            // Often a symbolic link to another file system; followed by the mount table's look-up.
            places.put(data.resolve("pg_wal"), "write-ahead log");
        }
        server.tablespaces().forEach(tablespace -> places.put(Path.of(tablespace), "tablespace"));
        return places;
    }

    private Set<String> devices(List<Volume> volumes) {
        var devices = new HashSet<String>();
        for (var volume : volumes) {
            if (volume.can(Capability.FILES)) {
                continue;
            }
            for (var mountPoint : volume.mountPoints()) {
                mounts.holdingFollowed(mountPoint).ifPresent(mount -> devices.add(mount.device()));
            }
        }
        return devices;
    }

    /** Of volumes that are files: each Btrfs subvolume and each ZFS file system has a device of its own in stat(2). */
    private static Set<Object> fileDevices(List<Volume> volumes) {
        var devices = new HashSet<Object>();
        for (var volume : volumes) {
            if (volume.can(Capability.FILES)) {
                volume.mountPoints().forEach(root -> devices.add(fileDevice(root)));
            }
        }
        devices.remove(NO_DEVICE);
        return devices;
    }

    private static Object fileDevice(Path path) {
        try {
            return Files.getAttribute(path, "unix:dev");
        } catch (IOException e) {
            // Gone, or not to be looked at: it is on none.
            return NO_DEVICE;
        }
    }

    /** Whether the address is one of this host's own. */
    static boolean isLocal(PostgresSettings settings) {
        if (settings.socketFolder().isPresent()) {
            return true;
        }
        try {
            var address = InetAddress.getByName(settings.host());
            return address.isLoopbackAddress() || NetworkInterface.getByInetAddress(address) != null;
        } catch (IOException e) {
            // A name that does not resolve will not connect either; that error says more.
            return false;
        }
    }
}

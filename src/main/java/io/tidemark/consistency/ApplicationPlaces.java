package io.tidemark.consistency;

import io.tidemark.spi.Capability;
import io.tidemark.spi.Volume;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Whether all that an application writes lies on the volumes that will be cut. */
public final class ApplicationPlaces {
    private static final String NO_DEVICE = "none";

    private final MountTable mounts;

    public ApplicationPlaces(MountTable mounts) {
        this.mounts = mounts;
    }

    /**
     * @param outside the first place that lies on none of the volumes, as a phrase
     * @param unverified what could not be looked at, one phrase each
     */
    public record Finding(Optional<String> outside, List<String> unverified) {
        public Finding {
            unverified = List.copyOf(unverified);
        }

        /** Nothing could be looked at, for this reason. */
        public static Finding unverified(String reason) {
            return new Finding(Optional.empty(), List.of(reason));
        }

        /** An application that is not on this host. */
        public static Finding elsewhere() {
            return unverified("the server is on another host, so nobody checked that its data lies on the volumes");
        }
    }

    /** @param places what each is called, by its path; in the order in which they are to be named */
    public Finding find(Map<Path, String> places, List<Volume> volumes) {
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
                        Optional.of(
                                "%s %s lies on none of the group's volumes; tidemark discover tells on which each lies"
                                        .formatted(place.getValue(), place.getKey())),
                        unverified);
            }
        }
        return new Finding(Optional.empty(), unverified);
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
    public static boolean isLocal(String host) {
        try {
            var address = InetAddress.getByName(host);
            return address.isLoopbackAddress() || NetworkInterface.getByInetAddress(address) != null;
        } catch (IOException e) {
            // A name that does not resolve will not connect either; that error says more.
            return false;
        }
    }
}

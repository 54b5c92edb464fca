package io.tidemark.provider.btrfs;

import io.tidemark.provider.devices.Mounts;
import io.tidemark.provider.devices.Mounts.Mount;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Where a subvolume is mounted by itself, as one mount namespace tells it: all mounts of one Btrfs have one number, and
 * the root of each is its path from the file system's top on, which follows a renaming (proc(5), mountinfo).
 */
final class BtrfsMounts {
    private final List<Mount> mounts;

    private BtrfsMounts(List<Mount> mounts) {
        this.mounts = mounts;
    }

    /**
     * A folder of a file system.
     *
     * @param fileSystem {@code major:minor}
     * @param path from the file system's top on
     */
    record Place(String fileSystem, Path path) {}

    static BtrfsMounts ofHost() throws IOException {
        return new BtrfsMounts(Mounts.ofHost().all());
    }

    static BtrfsMounts read(Path mountInfo) throws IOException {
        return new BtrfsMounts(Mounts.read(mountInfo).all());
    }

    boolean isMountPoint(Path path) {
        return mounts.stream().anyMatch(mount -> mount.mountPoint().equals(path));
    }

    /** @param path absolute and without symbolic links; none where no mount holds it */
    Optional<Place> placeOf(Path path) {
        return holding(path).map(mount -> place(mount, path));
    }

    /** Where the mount is that holds a path. */
    Optional<Path> pointOf(Path path) {
        return holding(path).map(Mount::mountPoint);
    }

    private Optional<Mount> holding(Path path) {
        Optional<Mount> holding = Optional.empty();
        for (var mount : mounts) {
            // Of several at one place the last lies on top.
            if (path.startsWith(mount.mountPoint())
                    && holding.filter(each -> each.mountPoint().getNameCount()
                                    > mount.mountPoint().getNameCount())
                            .isEmpty()) {
                holding = Optional.of(mount);
            }
        }
        return holding;
    }

    private static Place place(Mount mount, Path path) {
        return new Place(
                mount.fileSystem(),
                Path.of(mount.root())
                        .resolve(mount.mountPoint().relativize(path).toString()));
    }

    /** Where exactly this folder is mounted. */
    List<Path> mountPoints(Place place) {
        return mounts.stream()
                .filter(mount -> mount.fileSystem().equals(place.fileSystem())
                        && Path.of(mount.root()).equals(place.path()))
                .map(Mount::mountPoint)
                .distinct()
                .toList();
    }

    /** Where this folder, or one within it, is mounted, or something is mounted on it or within it. */
    Optional<Path> mountOfAnyPart(Place place) {
        var byId = mounts.stream().collect(Collectors.toMap(Mount::id, mount -> mount, (_, last) -> last));
        return mounts.stream()
                .filter(mount -> isWithin(new Place(mount.fileSystem(), Path.of(mount.root())), place)
                        || Optional.ofNullable(byId.get(mount.parent()))
                                .filter(parent -> mount.mountPoint().startsWith(parent.mountPoint()))
                                .filter(parent -> isWithin(place(parent, mount.mountPoint()), place))
                                .isPresent())
                .map(Mount::mountPoint)
                .findFirst();
    }

    private static boolean isWithin(Place one, Place other) {
        return one.fileSystem().equals(other.fileSystem()) && one.path().startsWith(other.path());
    }
}

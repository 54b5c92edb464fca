package io.tidemark.system.lab;

import io.tidemark.provider.conformance.StreamContract;
import io.tidemark.provider.conformance.StreamEnd;
import io.tidemark.provider.zfs.ZfsProviderFactory;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Programs;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** What every provider whose snapshots travel must do, by the ZFS provider between two pools. */
@InLab
class ZfsStreamsInLab extends StreamContract {
    private static final Path MOUNTS = Path.of("/mnt");
    private static int datasets;

    private final Map<StreamEnd, String> own = new EnumMap<>(StreamEnd.class);

    @BeforeAll
    static void makePools() throws IOException {
        makePool("source", "/dev/loop0", "/dev/ubda");
        makePool("target", "/dev/loop1", "/dev/ubdb");
    }

    /** With {@code relatime} a file that was read within a day keeps its time of last access. */
    private static void makePool(String name, String device, String disk) throws IOException {
        Programs.run("losetup", device, disk);
        Programs.run("zpool", "create", "-f", "-O", "mountpoint=none", "-O", "relatime=off", name, device);
    }

    @AfterAll
    static void removePools() throws IOException {
        Programs.run("zpool", "destroy", "source");
        Programs.run("zpool", "destroy", "target");
        Programs.run("losetup", "-d", "/dev/loop0", "/dev/loop1");
    }

    private static String pool(StreamEnd end) {
        return end.name().toLowerCase(Locale.ROOT);
    }

    @Override
    protected StorageProvider open(StreamEnd end) throws Exception {
        if (!own.containsKey(end)) {
            own.put(end, pool(end) + "/volumes-" + datasets++);
            Programs.run("zfs", "create", own.get(end));
        }
        return new ZfsProviderFactory().create(Map.of("dataset", own.get(end)));
    }

    @Override
    protected VolumeId make(StorageProvider provider, StreamEnd end) throws Exception {
        var name = own.get(end) + "/home";
        Programs.run("zfs", "create", "-o", "mountpoint=" + MOUNTS.resolve(name), name);
        return VolumeId.of("zfs", name);
    }

    private static String dataset(StorageProvider provider, VolumeId volume) throws ProviderException {
        return Objects.requireNonNull(provider.volume(volume).facts().get("dataset"));
    }

    /** After a rollback it is not mounted. */
    @Override
    protected Path root(StorageProvider provider, VolumeId volume) throws Exception {
        if (provider.volume(volume).mountPoints().isEmpty()) {
            Programs.run("zfs", "mount", dataset(provider, volume));
        }
        return provider.volume(volume).mountPoints().getFirst();
    }

    /** A program takes a quarter of a second here. */
    @Override
    protected int places() {
        return 3;
    }

    @Override
    protected int rounds() {
        return 2;
    }

    @Override
    protected void putOutOfUse(StorageProvider provider, VolumeId volume) throws Exception {
        for (var mount : provider.volume(volume).mountPoints()) {
            Programs.run("umount", mount.toString());
        }
    }
}

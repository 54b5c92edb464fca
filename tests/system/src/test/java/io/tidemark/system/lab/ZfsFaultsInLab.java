package io.tidemark.system.lab;

import static io.tidemark.system.lab.LabAssertions.assertOnly;
import static io.tidemark.system.lab.LabAssertions.error;
import static io.tidemark.system.lab.LabPool.CHUNK_BYTES;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Programs;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** What the provider of ZFS's volumes answers when others, or the pool, get in its way, and what is there afterwards. */
@InLab
class ZfsFaultsInLab {
    private static final long VOLUME_BYTES = 1 << 30;
    private static final int CHUNKS = 16;
    private static final HoldOwner OWNER = new HoldOwner("someone");

    static void assertWhole(StorageProvider provider, SnapshotId snapshot, int value) throws Exception {
        assertThat(LabPool.valueOf(provider, snapshot, 0, CHUNKS)).isEqualTo(value);
    }

    @Test
    void fullPoolRefusesByNameKeepsWhatItHasAndGoesOnOnceExtended() throws Exception {
        var pool = LabZpool.make();
        try (var provider = pool.open()) {
            var volume = provider.create(LabZpool.volume("a"), VOLUME_BYTES).id();
            LabPool.fill(provider, volume, 0, CHUNKS, 1);
            var older = LabPool.cut(provider, volume, "rp-1");
            LabPool.fill(provider, volume, 0, CHUNKS, 2);
            var newer = LabPool.cut(provider, volume, "rp-2");
            // A file system, and so a volume, too.
            var rest = fillUp(pool, provider, volume);

            error(ProviderError.OutOfSpace.class, () -> LabPool.fill(provider, volume, 0, CHUNKS, 3));
            error(ProviderError.OutOfSpace.class, () -> provider.prepare(request("rp-3", volume)));
            error(ProviderError.OutOfSpace.class, () -> provider.cut(request("rp-3", volume)));
            error(ProviderError.OutOfSpace.class, () -> provider.create(LabZpool.volume("b"), VOLUME_BYTES));
            error(ProviderError.OutOfSpace.class, () -> provider.clone(new CloneRequest(older, LabZpool.volume("c"))));
            error(ProviderError.OutOfSpace.class, () -> provider.rollback(older));
            assertOnly(provider, List.of(older, newer), List.of(volume, rest));
            assertWhole(provider, older, 1);
            assertWhole(provider, newer, 2);
            // ZFS may name what was never written, too.
            assertThat(LabPool.ranges(provider.changedRanges(older, newer)))
                    .first()
                    .satisfies(range -> assertThat(range.offsetBytes()).isZero())
                    .satisfies(range -> assertThat(range.lengthBytes()).isGreaterThanOrEqualTo(CHUNKS * CHUNK_BYTES));
            provider.hold(older, OWNER);
            provider.release(older, OWNER);
            provider.delete(newer);
            assertOnly(provider, List.of(older), List.of(volume, rest));

            Programs.run("zpool", "add", "-f", pool.name(), LabZpool.looped(LabPool.nextDisk()));

            LabPool.fill(provider, volume, 0, CHUNKS, 4);
            assertWhole(provider, LabPool.cut(provider, volume, "rp-3"), 4);
            assertWhole(provider, older, 1);
            provider.rollback(older);
            assertWhole(provider, LabPool.cut(provider, volume, "rp-4"), 1);
        }
    }

    /** By a writer, as far as ZFS lets one; the last is taken by a reservation, so that ZFS refuses all else too. */
    private static VolumeId fillUp(LabZpool pool, StorageProvider provider, VolumeId volume) throws Exception {
        Programs.run("zfs", "create", pool.name() + "/rest");
        try (var writer = provider.write(volume)) {
            error(ProviderError.OutOfSpace.class, () -> {
                for (int chunk = 0; chunk < 2_000; chunk++) {
                    writer.write((long) (chunk + CHUNKS) * CHUNK_BYTES, LabPool.chunkOf(3));
                }
                writer.flush();
            });
            // Of what was lost the kernel tells once.
            error(ProviderError.OutOfSpace.class, writer::flush);
        }
        Programs.run("zpool", "sync", pool.name());
        Programs.run("zfs", "set", "reservation=" + pool.get("available", pool.name()), pool.name() + "/rest");
        return LabZpool.volume(pool.name() + "/rest");
    }

    static CutRequest request(String point, VolumeId... volumes) {
        return new CutRequest(new RecoveryPointId(point), List.of(volumes));
    }

    @Test
    void spaceThatIsGivenBackMakesAFullPoolGoOn() throws Exception {
        var pool = LabZpool.make();
        try (var provider = pool.open()) {
            var volume = provider.create(LabZpool.volume("a"), VOLUME_BYTES).id();
            fillUp(pool, provider, volume);
            error(ProviderError.OutOfSpace.class, () -> LabPool.cut(provider, volume, "rp-1"));

            try (var writer = provider.write(volume)) {
                writer.writeZeroes(new BlockRange(0, VOLUME_BYTES));
                writer.flush();
            }
            Programs.run("zpool", "sync", pool.name());

            LabPool.fill(provider, volume, 0, CHUNKS, 4);
            assertWhole(provider, LabPool.cut(provider, volume, "rp-1"), 4);
        }
    }

    @Test
    void snapshotThatIsDestroyedByHandIsNotFoundOrDone() throws Exception {
        var pool = LabZpool.make();
        try (var provider = pool.open();
                var zfs = ToolFault.in("zfs")) {
            var volume = provider.create(LabZpool.volume("a"), VOLUME_BYTES).id();
            LabPool.fill(provider, volume, 0, CHUNKS, 1);
            var kept = LabPool.cut(provider, volume, "rp-kept");
            var gone = LabPool.cut(provider, volume, "rp-1");
            Programs.run("zfs", "destroy", pool.snapshot("rp-1"));
            assertGone(provider, gone, kept);

            // While the provider is at it.
            zfs.before("set", destruction(pool, provider, volume, "rp-2"));
            error(ProviderError.SnapshotNotFound.class, () -> provider.read(snapshot(volume, "rp-2")));
            zfs.before("hold", destruction(pool, provider, volume, "rp-3"));
            error(ProviderError.SnapshotNotFound.class, () -> provider.hold(snapshot(volume, "rp-3"), OWNER));
            zfs.before("destroy", destruction(pool, provider, volume, "rp-4"));
            assertThat(provider.delete(snapshot(volume, "rp-4"))).isEqualTo(new Step.Done<>(true));
            zfs.before("send", destruction(pool, provider, volume, "rp-5"));
            error(ProviderError.SnapshotNotFound.class, () -> provider.changedRanges(kept, snapshot(volume, "rp-5")));
            var copy = LabZpool.volume("copy");
            zfs.before("clone", destruction(pool, provider, volume, "rp-6"));
            error(
                    ProviderError.SnapshotNotFound.class,
                    () -> provider.clone(new CloneRequest(snapshot(volume, "rp-6"), copy)));
            zfs.before("clone", destruction(pool, provider, volume, "rp-7"));
            error(ProviderError.SnapshotNotFound.class, () -> provider.rollback(snapshot(volume, "rp-7")));

            assertThat(zfs.isArmed()).isFalse();
            assertOnly(provider, List.of(kept), List.of(volume));
            assertWhole(provider, kept, 1);
        }
    }

    private static SnapshotId snapshot(VolumeId volume, String point) {
        return new SnapshotId(volume, new RecoveryPointId(point));
    }

    /** Of a snapshot that is cut for it. */
    private static String destruction(LabZpool pool, StorageProvider provider, VolumeId volume, String point)
            throws Exception {
        LabPool.cut(provider, volume, point);
        return "(start destroy %s)".formatted(pool.snapshot(point));
    }

    private static void assertGone(StorageProvider provider, SnapshotId gone, SnapshotId kept) throws Exception {
        error(ProviderError.SnapshotNotFound.class, () -> provider.read(gone));
        error(ProviderError.SnapshotNotFound.class, () -> provider.changedRanges(kept, gone));
        error(ProviderError.SnapshotNotFound.class, () -> provider.allocatedRanges(gone));
        error(ProviderError.SnapshotNotFound.class, () -> provider.hold(gone, OWNER));
        error(ProviderError.SnapshotNotFound.class, () -> provider.rollback(gone));
        assertThat(provider.delete(gone)).isEqualTo(new Step.Done<>(true));
        provider.release(gone, OWNER);
    }

    @Test
    void whatOthersHoldOrHaveOpenIsNotDeletedAndTheyAreNamed() throws Exception {
        var pool = LabZpool.make();
        try (var provider = pool.open();
                var zfs = ToolFault.in("zfs")) {
            var volume = provider.create(LabZpool.volume("a"), VOLUME_BYTES).id();
            LabPool.fill(provider, volume, 0, CHUNKS, 1);
            var snapshot = LabPool.cut(provider, volume, "rp-1");
            var name = pool.snapshot("rp-1");

            Programs.run("zfs", "hold", "backup", name);
            assertThat(error(ProviderError.Busy.class, () -> provider.delete(snapshot))
                            .holder())
                    .contains("backup");
            Programs.run("zfs", "release", "backup", name);

            // After the provider's look.
            zfs.before("destroy", "(start hold backup %s)".formatted(name));
            assertThat(error(ProviderError.Busy.class, () -> provider.delete(snapshot))
                            .holder())
                    .contains("backup");
            Programs.run("zfs", "release", "backup", name);
            zfs.before("destroy", "(start hold tidemark:someone %s)".formatted(name));
            error(ProviderError.Held.class, () -> provider.delete(snapshot));
            // Somebody lets it go at the same moment.
            zfs.before("release", "(start release tidemark:someone %s)".formatted(name));
            provider.release(snapshot, OWNER);

            assertWhole(provider, snapshot, 1);
            var opened = allDevices();
            error(ProviderError.Busy.class, () -> provider.delete(snapshot));
            for (var each : opened) {
                each.close();
            }
            assertWhole(provider, snapshot, 1);
            provider.delete(snapshot);
            assertOnly(provider, List.of(), List.of(volume));
        }
    }

    /** As a program has them open that reads a snapshot. */
    private static List<FileChannel> allDevices() throws Exception {
        var opened = new ArrayList<FileChannel>();
        try (var nodes = Files.newDirectoryStream(Path.of("/dev"), "zd*")) {
            for (var node : nodes) {
                try {
                    opened.add(FileChannel.open(node, StandardOpenOption.READ));
                } catch (NoSuchFileException e) {
                    System.out.printf("lab: %s has gone meanwhile, with its pool%n", node);
                }
            }
        }
        return opened;
    }

    @Test
    void nameThatIsTakenByAForeignDatasetIsAConflictAndTheForeignOneStays() throws Exception {
        var pool = LabZpool.make();
        try (var provider = pool.open();
                var zfs = ToolFault.in("zfs")) {
            var volume = provider.create(LabZpool.volume("a"), VOLUME_BYTES).id();
            var name = LabZpool.zvol(provider, volume);
            provider.remove(volume);
            for (var kind : List.of("", "-s -V 1M")) {
                Programs.run("bash", "-c", "zfs create %s %s".formatted(kind, name));
                error(ProviderError.Conflict.class, () -> provider.create(volume, VOLUME_BYTES));
                Programs.run("zfs", "destroy", name);
            }
            var kept = provider.create(volume, VOLUME_BYTES).id();
            var other = provider.create(LabZpool.volume("b"), VOLUME_BYTES).id();
            LabPool.fill(provider, kept, 0, CHUNKS, 1);
            var snapshot = LabPool.cut(provider, kept, "rp-1");

            Programs.run("zfs", "snapshot", pool.snapshot("rp-1").replace("rp-1", "rp-2"));
            error(ProviderError.Conflict.class, () -> provider.cut(request("rp-2", kept, other)));
            // The last argument is the name of what a rollback puts in place.
            zfs.before("clone", "(start create \"${@: -1}\")");
            error(ProviderError.Conflict.class, () -> provider.rollback(snapshot));

            assertOnly(provider, List.of(snapshot), List.of(kept, other));
            assertThat(Programs.run("zfs", "list", "-H", "-o", "name", "-t", "all", "-r", pool.name()))
                    .contains("tidemark-r-")
                    .contains("-rp-2");
            assertWhole(provider, snapshot, 1);
        }
    }

    @Test
    void poolThatIsExportedIsToldAndWhatWasCutIsThereWhenItIsBack() throws Exception {
        var pool = LabZpool.make();
        try (var provider = pool.open()) {
            var volume = provider.create(LabZpool.volume("a"), VOLUME_BYTES).id();
            LabPool.fill(provider, volume, 0, CHUNKS, 1);
            var snapshot = LabPool.cut(provider, volume, "rp-1");
            var prepared = request("rp-2", volume);
            provider.prepare(prepared);

            Programs.run("zpool", "export", pool.name());
            assertToldOfAll(provider, volume, snapshot, pool.name());
            error(ProviderError.Unexpected.class, () -> provider.cut(prepared));

            Programs.run("zpool", "import", "-d", pool.device(), pool.name());
            assertOnly(provider, List.of(snapshot), List.of(volume));
            assertWhole(provider, snapshot, 1);

            Programs.run("zfs", "destroy", pool.snapshot("rp-1"));
            Programs.run("zfs", "destroy", LabZpool.zvol(provider, volume));
            error(ProviderError.VolumeNotFound.class, () -> provider.write(volume));
            error(ProviderError.VolumeNotFound.class, () -> provider.prepare(prepared));
            error(ProviderError.SnapshotNotFound.class, () -> provider.read(snapshot));
            Programs.run("zpool", "destroy", pool.name());
            assertToldOfAll(provider, volume, snapshot, pool.name());
        }
    }

    /** None of them may be taken for "there is none". */
    static void assertToldOfAll(StorageProvider provider, VolumeId volume, SnapshotId snapshot, String text) {
        var calls = List.<ThrowingCallable>of(
                provider::volumes,
                () -> provider.snapshots(SnapshotQuery.everything()),
                () -> provider.create(LabZpool.volume("b"), VOLUME_BYTES),
                () -> provider.prepare(request("rp-3", volume)),
                () -> provider.cut(request("rp-3", volume)),
                () -> provider.read(snapshot),
                () -> provider.write(volume),
                () -> provider.clone(new CloneRequest(snapshot, LabZpool.volume("c"))),
                () -> provider.rollback(snapshot),
                () -> provider.hold(snapshot, OWNER),
                () -> provider.delete(snapshot),
                () -> provider.remove(volume));
        for (var call : calls) {
            assertThat(error(ProviderError.Unexpected.class, call).answer()).contains(text);
        }
    }
}

package io.tidemark.system.lab;

import static io.tidemark.system.lab.LabAssertions.assertOnly;
import static io.tidemark.system.lab.LabAssertions.error;
import static io.tidemark.system.lab.LabPool.CHUNK_BYTES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.system.ground.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the provider of thin volumes answers when the pool below it fails, and what is there afterwards. */
@InLab
class ThinFaultsInLab {
    private static final long VOLUME_BYTES = 1 << 30;
    private static final int CHUNKS = 64;

    private static void assertWhole(StorageProvider provider, SnapshotId snapshot, int value) throws Exception {
        assertThat(LabPool.valueOf(provider, snapshot, 0, CHUNKS)).isEqualTo(value);
    }

    @Test
    void fullPoolRefusesByNameKeepsWhatItHasAndGoesOnOnceEnlarged() throws Exception {
        var pool = LabPool.make("32M", "4M");
        try (var provider = pool.open()) {
            var volume = provider.create(pool.volume("a"), VOLUME_BYTES).id();
            LabPool.fill(provider, volume, 0, CHUNKS, 1);
            var older = LabPool.cut(provider, volume, "rp-1");
            LabPool.fill(provider, volume, 0, CHUNKS, 2);
            var newer = LabPool.cut(provider, volume, "rp-2");

            try (var writer = provider.write(volume)) {
                error(ProviderError.OutOfSpace.class, () -> {
                    for (int chunk = 0; chunk < 1_000; chunk++) {
                        writer.write((long) (chunk + CHUNKS) * CHUNK_BYTES, LabPool.chunkOf(3));
                    }
                    writer.flush();
                });
                // Of what was lost the kernel tells once.
                error(ProviderError.OutOfSpace.class, writer::flush);
            }

            assertThat(pool.status()).contains("out_of_data_space");
            error(ProviderError.OutOfSpace.class, () -> LabPool.cut(provider, volume, "rp-3"));
            error(ProviderError.OutOfSpace.class, () -> provider.create(pool.volume("b"), VOLUME_BYTES));
            error(ProviderError.OutOfSpace.class, () -> provider.clone(new CloneRequest(older, pool.volume("c"))));
            error(ProviderError.OutOfSpace.class, () -> provider.rollback(older));
            assertOnly(provider, List.of(older, newer), List.of(volume));
            assertWhole(provider, older, 1);
            assertWhole(provider, newer, 2);
            assertThat(LabPool.ranges(provider.changedRanges(older, newer)))
                    .containsExactly(new BlockRange(0, CHUNKS * CHUNK_BYTES));
            provider.hold(older, new HoldOwner("someone"));
            provider.release(older, new HoldOwner("someone"));

            Programs.run("lvextend", "-q", "-L", "+64M", pool.group() + "/pool");

            LabPool.fill(provider, volume, 0, CHUNKS, 4);
            assertWhole(provider, LabPool.cut(provider, volume, "rp-3"), 4);
            assertWhole(provider, older, 1);
            provider.rollback(older);
            assertWhole(provider, LabPool.cut(provider, volume, "rp-4"), 1);
        }
    }

    /** Thin devices that LVM does not know use up the metadata: a block each. */
    @Test
    void fullMetadataRefuseByNameKeepWhatTheyHaveAndGoOnOnceEnlarged() throws Exception {
        var pool = LabPool.make("64M", "2M");
        try (var provider = pool.open()) {
            var volume = provider.create(pool.volume("a"), VOLUME_BYTES).id();
            LabPool.fill(provider, volume, 0, CHUNKS, 1);
            var older = LabPool.cut(provider, volume, "rp-1");
            LabPool.fill(provider, volume, 0, CHUNKS, 2);
            var newer = LabPool.cut(provider, volume, "rp-2");
            Programs.run("bash", "-c", """
                    n=100000
                    while dmsetup message %s 0 "create_thin $n" 2>/dev/null; do n=$((n + 1)); done
                    """.formatted(pool.target()));
            assertThat(pool.status()).contains(" ro ");

            error(ProviderError.OutOfSpace.class, () -> LabPool.cut(provider, volume, "rp-3"));
            error(ProviderError.OutOfSpace.class, () -> provider.create(pool.volume("b"), VOLUME_BYTES));
            error(ProviderError.OutOfSpace.class, () -> provider.clone(new CloneRequest(older, pool.volume("c"))));
            error(ProviderError.OutOfSpace.class, () -> LabPool.fill(provider, volume, 500, 1, 3));
            // It cannot be told what changed without a change of the metadata: a full copy is the way then.
            error(ProviderError.class, () -> provider.changedRanges(older, newer));
            assertOnly(provider, List.of(older, newer), List.of(volume));
            assertWhole(provider, older, 1);
            assertWhole(provider, newer, 2);
            // LVM takes it out of its list at once, and tells the pool when that takes changes again.
            provider.delete(newer);
            assertOnly(provider, List.of(older), List.of(volume));

            Programs.run("lvextend", "-q", "-y", "--poolmetadatasize", "+4M", pool.group() + "/pool");

            LabPool.fill(provider, volume, 0, CHUNKS, 4);
            var after = LabPool.cut(provider, volume, "rp-3");
            assertWhole(provider, after, 4);
            assertWhole(provider, older, 1);
            assertThat(LabPool.ranges(provider.changedRanges(older, after)))
                    .containsExactly(new BlockRange(0, CHUNKS * CHUNK_BYTES));
        }
    }

    /** A disk that refuses writes, then everything, then comes back; the pool stays read-only until it was checked. */
    @Test
    void deviceThatFailsIsToldAndWhatWasCutIsThereWhenItIsBack() throws Exception {
        var disk = LabPool.nextDisk();
        Files.writeString(
                Path.of("/etc/lvm/lvm.conf"),
                "devices/global_filter=[\"r|^%s$|\"]%n".formatted(disk),
                StandardOpenOption.APPEND);
        Programs.run("modprobe", "dm-flakey");
        long sectors = Long.parseLong(Programs.run("blockdev", "--getsz", disk));
        Programs.run("dmsetup", "create", "shaky", "--table", "0 %d linear %s 0".formatted(sectors, disk));
        var pool = LabPool.make("/dev/mapper/shaky", "64M", "4M");
        try (var provider = pool.open()) {
            var volume = provider.create(pool.volume("a"), VOLUME_BYTES).id();
            LabPool.fill(provider, volume, 0, CHUNKS, 1);
            var snapshot = LabPool.cut(provider, volume, "rp-1");

            table("0 %d flakey %s 0 0 3600 1 error_writes".formatted(sectors, disk));
            error(ProviderError.Unexpected.class, () -> LabPool.fill(provider, volume, 0, CHUNKS, 2));
            error(ProviderError.class, () -> LabPool.cut(provider, volume, "rp-2"));
            error(ProviderError.class, () -> provider.hold(snapshot, new HoldOwner("someone")));
            error(ProviderError.class, () -> provider.delete(snapshot));
            table("0 %d error".formatted(sectors));
            error(ProviderError.Unexpected.class, provider::volumes);
            error(ProviderError.class, () -> provider.read(snapshot));
            error(ProviderError.class, () -> provider.delete(snapshot));
            table("0 %d linear %s 0".formatted(sectors, disk));

            assertWhole(provider, snapshot, 1);
            assertOnly(provider, List.of(snapshot), List.of(volume));
            assertThat(pool.status()).contains("needs_check");
            error(ProviderError.Unexpected.class, () -> LabPool.cut(provider, volume, "rp-2"));

            checkMetadata(pool);

            LabPool.fill(provider, volume, 0, CHUNKS, 3);
            assertWhole(provider, LabPool.cut(provider, volume, "rp-2"), 3);
            assertWhole(provider, snapshot, 1);
        }
    }

    private static void table(String line) throws IOException {
        Programs.run("dmsetup", "suspend", "--noflush", "shaky");
        Programs.run("dmsetup", "load", "shaky", "--table", line);
        Programs.run("dmsetup", "resume", "shaky");
    }

    /** As docs/design/lvm-provider.md tells the operator. */
    private static void checkMetadata(LabPool pool) throws IOException {
        Programs.run("vgchange", "-q", "-an", pool.group());
        Programs.run(
                "vgchange",
                "-q",
                "-ay",
                "--config",
                "global/thin_check_options=[\"-q\",\"--clear-needs-check-flag\"]",
                pool.group());
    }

    @Test
    void snapshotThatIsRemovedByHandIsNotFoundOrDone() throws Exception {
        var pool = LabPool.make("64M", "4M");
        try (var provider = pool.open();
                var lvchange = ToolFault.in("lvchange");
                var lvremove = ToolFault.in("lvremove");
                var thinDelta = ToolFault.in("thin_delta")) {
            var volume = provider.create(pool.volume("a"), VOLUME_BYTES).id();
            var kept = LabPool.cut(provider, volume, "rp-kept");
            var owner = new HoldOwner("someone");

            var gone = LabPool.cut(provider, volume, "rp-1");
            Programs.run("bash", "-c", removal(pool, "rp-1"));
            assertGone(provider, gone, kept);
            provider.release(gone, owner);

            // While the provider is at it.
            var second = settled(provider, LabPool.cut(provider, volume, "rp-2"));
            lvchange.before(removal(pool, "rp-2"));
            error(ProviderError.SnapshotNotFound.class, () -> provider.read(second));
            var third = settled(provider, LabPool.cut(provider, volume, "rp-3"));
            lvchange.before(removal(pool, "rp-3"));
            error(ProviderError.SnapshotNotFound.class, () -> provider.hold(third, owner));
            lvremove.before(removal(pool, "rp-4").replace("lvremove", "lvm lvremove"));
            var fourth = LabPool.cut(provider, volume, "rp-4");
            assertThat(provider.delete(fourth)).isEqualTo(new Step.Done<>(true));
            thinDelta.before(removal(pool, "rp-5"));
            var fifth = LabPool.cut(provider, volume, "rp-5");
            error(ProviderError.SnapshotNotFound.class, () -> provider.changedRanges(kept, fifth));

            assertOnly(provider, List.of(kept), List.of(volume));
            assertThat(LabPool.ranges(provider.changedRanges(kept, kept))).isEmpty();
        }
    }

    /** What a cut leaves to the next call that changes something has been done. */
    private static SnapshotId settled(StorageProvider provider, SnapshotId snapshot) throws ProviderException {
        assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                .extracting(each -> each.id())
                .contains(snapshot);
        provider.release(snapshot, new HoldOwner("nobody"));
        return snapshot;
    }

    private static String removal(LabPool pool, String point) {
        return "lvremove -y -S 'tags=\"tidemark.point=%s\"' %s".formatted(point, pool.group());
    }

    private static void assertGone(StorageProvider provider, SnapshotId gone, SnapshotId kept) throws Exception {
        error(ProviderError.SnapshotNotFound.class, () -> provider.read(gone));
        error(ProviderError.SnapshotNotFound.class, () -> provider.changedRanges(kept, gone));
        error(ProviderError.SnapshotNotFound.class, () -> provider.allocatedRanges(gone));
        error(ProviderError.SnapshotNotFound.class, () -> provider.hold(gone, new HoldOwner("someone")));
        error(ProviderError.SnapshotNotFound.class, () -> provider.rollback(gone));
        assertThat(provider.delete(gone)).isEqualTo(new Step.Done<>(true));
    }

    /** Its number goes to the next snapshot, of another volume: an answer about that one would be taken for this one. */
    @Test
    void changesAreNotToldOfWhatHasTakenARemovedSnapshotsNumber() throws Exception {
        var pool = LabPool.make("64M", "4M");
        try (var provider = pool.open();
                var dmsetup = ToolFault.in("dmsetup")) {
            var volume = provider.create(pool.volume("a"), VOLUME_BYTES).id();
            var older = LabPool.cut(provider, volume, "rp-1");
            LabPool.fill(provider, volume, 0, CHUNKS, 1);
            var newer = LabPool.cut(provider, volume, "rp-2");
            var name = LabPool.logicalVolume(provider, volume);

            dmsetup.before("%s; lvcreate -y -s -n other %s/%s".formatted(removal(pool, "rp-1"), pool.group(), name));

            error(ProviderError.SnapshotNotFound.class, () -> provider.changedRanges(older, newer));
        }
    }

    @Test
    void nameThatIsTakenByAForeignVolumeIsAConflictAndTheForeignOneStays() throws Exception {
        var pool = LabPool.make("64M", "4M");
        try (var provider = pool.open()) {
            var volume = provider.create(pool.volume("a"), VOLUME_BYTES).id();
            var name = LabPool.logicalVolume(provider, volume);
            provider.remove(volume);
            Programs.run("lvcreate", "-q", "-y", "-n", name, "-L", "1M", pool.group());

            error(ProviderError.Conflict.class, () -> provider.create(volume, VOLUME_BYTES));

            assertThat(pool.lvs("segtype", pool.group() + "/" + name)).isEqualTo("linear");
            assertThatCode(() -> provider.create(pool.volume("b"), VOLUME_BYTES))
                    .doesNotThrowAnyException();
        }
    }
}

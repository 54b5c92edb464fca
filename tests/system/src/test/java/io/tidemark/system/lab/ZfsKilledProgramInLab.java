package io.tidemark.system.lab;

import static io.tidemark.system.lab.ZfsFaultsInLab.assertOnly;
import static io.tidemark.system.lab.ZfsFaultsInLab.assertWhole;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.StorageProvider;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The program {@code zfs} is killed in the middle: the call fails or has succeeded, and asking again works. */
@InLab
class ZfsKilledProgramInLab {
    private static final long VOLUME_BYTES = 64 << 20;
    private static final int CHUNKS = 16;
    private static final HoldOwner OWNER = new HoldOwner("someone");

    /** As it starts, and while it asks the kernel or is about to end: it takes some 250 ms. */
    private static final List<Integer> MILLIS = List.of(10, 170);

    private interface Call {
        void run() throws Exception;
    }

    private static void killed(ToolFault zfs, String subcommand, int millis, Call call) throws Exception {
        zfs.killAfter(subcommand, millis);
        try {
            call.run();
            System.out.printf("lab: zfs %s killed after %d ms: done%n", subcommand, millis);
        } catch (ProviderException e) {
            System.out.printf("lab: zfs %s killed after %d ms: %s%n", subcommand, millis, e.getMessage());
            assertThat(e.error()).isInstanceOf(ProviderError.Unexpected.class);
            call.run();
        }
        assertThat(zfs.isArmed()).as("zfs %s is still to be called", subcommand).isFalse();
    }

    @Test
    void whatAKilledProgramWasAtIsDoneWhenItIsAskedForAgain() throws Exception {
        var pool = LabZpool.make();
        try (var provider = pool.open();
                var zfs = ToolFault.in("zfs")) {
            for (int millis : MILLIS) {
                var volume = LabZpool.volume("a");
                var copy = LabZpool.volume("copy");
                killed(zfs, "create", millis, () -> provider.create(volume, VOLUME_BYTES));
                LabPool.fill(provider, volume, 0, CHUNKS, 1);
                var snapshot = LabPool.cut(provider, volume, "rp-1");
                killed(zfs, "clone", millis, () -> provider.clone(new CloneRequest(snapshot, copy)));
                killed(zfs, "hold", millis, () -> provider.hold(snapshot, OWNER));
                assertThat(provider.volumes()).hasSize(2);
                killed(zfs, "release", millis, () -> provider.release(snapshot, OWNER));
                killed(zfs, "set", millis, () -> provider.read(snapshot).close());
                assertWhole(provider, snapshot, 1);
                // It has a clone: it is renamed first.
                killed(zfs, millis % 20 == 0 ? "rename" : "destroy", millis, () -> provider.delete(snapshot));
                assertOnly(provider, List.of(), List.of(volume, copy));
                killed(zfs, "promote", millis, () -> provider.remove(volume));
                killed(zfs, "destroy", millis, () -> provider.remove(copy));
                assertOnly(provider, List.of(), List.of());
            }
        }
    }

    @Test
    void rollbackWhoseProgramIsKilledIsDoneWhenItIsAskedForAgain() throws Exception {
        var pool = LabZpool.make();
        try (var provider = pool.open();
                var zfs = ToolFault.in("zfs")) {
            var volume = provider.create(LabZpool.volume("a"), VOLUME_BYTES).id();
            LabPool.fill(provider, volume, 0, CHUNKS, 1);
            var older = LabPool.cut(provider, volume, "rp-1");
            LabPool.fill(provider, volume, 0, CHUNKS, 2);
            var newer = LabPool.cut(provider, volume, "rp-2");
            int number = 0;
            for (var subcommand : List.of("clone", "set", "rename", "promote", "rollback")) {
                rolledBack(provider, zfs, subcommand, MILLIS.get(number++ % MILLIS.size()), older);
            }
            assertOnly(provider, List.of(older, newer), List.of(volume));
            assertWhole(provider, older, 1);
            assertWhole(provider, newer, 2);
        }
    }

    private static void rolledBack(
            StorageProvider provider, ToolFault zfs, String subcommand, int millis, SnapshotId snapshot)
            throws Exception {
        LabPool.fill(provider, snapshot.volume(), 0, CHUNKS, 3);
        killed(zfs, subcommand, millis, () -> provider.rollback(snapshot));
        var first = ByteBuffer.allocate(1);
        try (var writer = provider.write(snapshot.volume())) {
            writer.read(0, first);
        }
        assertThat(first.get(0))
                .as("content after zfs %s was killed", subcommand)
                .isEqualTo((byte) 1);
    }
}

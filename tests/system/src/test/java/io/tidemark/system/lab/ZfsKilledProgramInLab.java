package io.tidemark.system.lab;

import static io.tidemark.system.lab.LabAssertions.assertOnly;
import static io.tidemark.system.lab.ZfsFaultsInLab.assertWhole;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.StorageProvider;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The program {@code zfs} is killed in the middle: the call fails or has succeeded, and asking again works. */
@InLab
class ZfsKilledProgramInLab {
    private static final long VOLUME_BYTES = 64 << 20;
    private static final int CHUNKS = 16;
    private static final HoldOwner OWNER = new HoldOwner("someone");

    /**
     * What changes something in ZFS, and at which of its calls to the kernel (2.1.11): one more, and it is killed once the
     * change is made, before it can say so.
     */
    private enum Change {
        CREATE("create", 9),
        CLONE("clone", 6),
        HOLD("hold", 4),
        RELEASE("release", 4),
        SET("set", 4),
        RENAME_OF_SNAPSHOT("rename", 3),
        RENAME_OF_VOLUME("rename", 6),
        DESTRUCTION_OF_SNAPSHOT("destroy", 4),
        DESTRUCTION_OF_VOLUME("destroy", 5),
        PROMOTE("promote", 3),
        ROLLBACK("rollback", 11);

        private final String subcommand;
        private final int call;

        Change(String subcommand, int call) {
            this.subcommand = subcommand;
            this.call = call;
        }
    }

    private static final Path KERNEL = Path.of("/dev/zfs");

    private interface Call {
        void run() throws Exception;
    }

    private static void killed(ToolFault zfs, Change change, boolean made, Call call) throws Exception {
        zfs.killAtCall(change.subcommand, KERNEL, made ? change.call + 1 : change.call);
        try {
            call.run();
            System.out.printf("lab: zfs %s killed, its change made: %s: done%n", change.subcommand, made);
        } catch (ProviderException e) {
            System.out.printf("lab: zfs %s killed, its change made: %s: %s%n", change.subcommand, made, e.getMessage());
            assertThat(e.error()).isInstanceOf(ProviderError.Unexpected.class);
            call.run();
        }
        assertThat(zfs.hasKilled()).as("zfs %s was killed", change.subcommand).isTrue();
    }

    @Test
    void whatAKilledProgramWasAtIsDoneWhenItIsAskedForAgain() throws Exception {
        var pool = LabZpool.make();
        try (var provider = pool.open();
                var zfs = ToolFault.in("zfs")) {
            for (boolean made : List.of(false, true)) {
                var volume = LabZpool.volume("a");
                var copy = LabZpool.volume("copy");
                killed(zfs, Change.CREATE, made, () -> provider.create(volume, VOLUME_BYTES));
                LabPool.fill(provider, volume, 0, CHUNKS, 1);
                var snapshot = LabPool.cut(provider, volume, "rp-1");
                killed(zfs, Change.CLONE, made, () -> provider.clone(new CloneRequest(snapshot, copy)));
                killed(zfs, Change.HOLD, made, () -> provider.hold(snapshot, OWNER));
                assertThat(provider.volumes()).hasSize(2);
                killed(zfs, Change.RELEASE, made, () -> provider.release(snapshot, OWNER));
                killed(zfs, Change.SET, made, () -> provider.read(snapshot).close());
                assertWhole(provider, snapshot, 1);
                // It has a clone: it is renamed first.
                killed(
                        zfs,
                        made ? Change.DESTRUCTION_OF_SNAPSHOT : Change.RENAME_OF_SNAPSHOT,
                        made,
                        () -> provider.delete(snapshot));
                assertOnly(provider, List.of(), List.of(volume, copy));
                killed(zfs, Change.PROMOTE, made, () -> provider.remove(volume));
                killed(zfs, Change.DESTRUCTION_OF_VOLUME, made, () -> provider.remove(copy));
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
            for (var change :
                    List.of(Change.CLONE, Change.SET, Change.RENAME_OF_VOLUME, Change.PROMOTE, Change.ROLLBACK)) {
                rolledBack(provider, zfs, change, false, older);
                rolledBack(provider, zfs, change, true, older);
            }
            assertOnly(provider, List.of(older, newer), List.of(volume));
            assertWhole(provider, older, 1);
            assertWhole(provider, newer, 2);
        }
    }

    private static void rolledBack(
            StorageProvider provider, ToolFault zfs, Change change, boolean made, SnapshotId snapshot)
            throws Exception {
        LabPool.fill(provider, snapshot.volume(), 0, CHUNKS, 3);
        killed(zfs, change, made, () -> provider.rollback(snapshot));
        var first = ByteBuffer.allocate(1);
        try (var writer = provider.write(snapshot.volume())) {
            writer.read(0, first);
        }
        assertThat(first.get(0))
                .as("content after zfs %s was killed", change.subcommand)
                .isEqualTo((byte) 1);
    }
}

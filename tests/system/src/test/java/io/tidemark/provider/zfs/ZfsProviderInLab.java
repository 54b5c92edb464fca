package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.nativeblock.ZfsCore;
import io.tidemark.nativeblock.ZvolCalls;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Programs;
import io.tidemark.system.lab.InLab;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What only ZFS does: kills between its steps, cuts of frozen file systems, volumes that others made and use. */
@InLab
public class ZfsProviderInLab {
    private static final String DATASET = "own";
    private static final int VOLUME_BYTES = 20 << 20;
    private static final int GROUP = 8;

    private int points;

    @BeforeEach
    void makePool() throws IOException {
        Programs.run("losetup", "/dev/loop0", "/dev/ubda");
        Programs.run("zpool", "create", "-f", "-O", "mountpoint=none", DATASET, "/dev/loop0");
    }

    @AfterEach
    void removePool() throws IOException {
        Programs.run("zpool", "destroy", DATASET);
        Programs.run("losetup", "-d", "/dev/loop0");
    }

    private static StorageProvider open(ZfsCommands commands) throws Exception {
        var core = ZfsCore.load();
        return ZfsProvider.open(
                new ZfsConfig(DATASET),
                commands,
                ZvolCalls.load(),
                Cutting.Storage.of(core),
                new ZfsProvider.Time(InstantSource.system(), System::nanoTime));
    }

    private static StorageProvider open() throws Exception {
        return open(new ZfsCommands(new CommandRunner()));
    }

    private static void write(StorageProvider provider, VolumeId volume, int content) throws ProviderException {
        try (var writer = provider.write(volume)) {
            writer.write(0, ByteBuffer.wrap(new byte[] {(byte) content}));
            writer.flush();
        }
    }

    private static int content(StorageProvider provider, VolumeId volume) throws ProviderException {
        var first = ByteBuffer.allocate(1);
        try (var writer = provider.write(volume)) {
            writer.read(0, first);
        }
        return first.get(0);
    }

    private static int content(StorageProvider provider, SnapshotId snapshot) throws ProviderException {
        var first = ByteBuffer.allocate(1);
        try (var reader = provider.read(snapshot)) {
            reader.read(0, first);
        }
        return first.get(0);
    }

    private SnapshotId cut(StorageProvider provider, VolumeId volume) throws ProviderException {
        var request = new CutRequest(new RecoveryPointId("rp-%03d".formatted(points++)), List.of(volume));
        return provider.cut(request).members().getFirst().snapshot().id();
    }

    private static void attempt(DyingZfs commands, StorageProvider provider, SnapshotId snapshot) {
        try {
            provider.rollback(snapshot);
        } catch (ProviderException e) {
            assertThat(commands.changesLeft).as(e.getMessage()).isZero();
        }
    }

    /** Clone, mark, two renames, another mark, promotion, and the branch's head taken back are seven changes. */
    @Test
    void rollbackKilledAnywhereLeavesTheOldContentOrTheSnapshots() throws Exception {
        for (int changes = 0; changes <= 7; changes++) {
            // The next start may die, too.
            killed("orders-" + changes, changes, changes % 3);
        }
    }

    private void killed(String name, int changes, int changesOfSweep) throws Exception {
        var volume = VolumeId.of("zfs", name);
        var dying = new DyingZfs();
        SnapshotId older;
        SnapshotId newer;
        try (var provider = open(dying)) {
            provider.create(volume, 1 << 20);
            write(provider, volume, 1);
            older = cut(provider, volume);
            write(provider, volume, 2);
            newer = cut(provider, volume);
            write(provider, volume, 3);
            dying.changesLeft = changes;
            attempt(dying, provider, older);
        }
        sweepThatDies(changesOfSweep);

        try (var provider = open()) {
            assertThat(content(provider, volume)).as("%d changes", changes).isEqualTo(changes < 3 ? 3 : 1);
            assertThat(content(provider, older)).isEqualTo(1);
            assertThat(content(provider, newer)).isEqualTo(2);
            provider.rollback(newer);
            assertThat(content(provider, volume)).isEqualTo(2);
            provider.delete(older);
            provider.delete(newer);
            provider.remove(volume);
            assertThat(provider.volumes()).isEmpty();
        }
        assertThat(Programs.run("zfs", "list", "-H", "-o", "name", "-t", "all", "-r", DATASET))
                .isEqualTo(DATASET);
    }

    private static void sweepThatDies(int changes) throws Exception {
        var dying = new DyingZfs();
        dying.changesLeft = changes;
        try (var provider = open(dying)) {
            assertThat(provider.name()).isEqualTo("zfs");
        } catch (ProviderException e) {
            assertThat(dying.changesLeft).isZero();
        }
    }

    @Test
    void frozenFileSystemsAreCutTogetherByNoProgram() throws Exception {
        var commands = new DyingZfs();
        assertThat(commands.rooms(List.of(DATASET)))
                .hasEntrySatisfying(
                        DATASET, room -> assertThat(room.availableBytes()).isPositive());
        try (var provider = open(commands)) {
            var volumes = new ArrayList<VolumeId>();
            var mounts = new ArrayList<Path>();
            for (int number = 0; number < GROUP; number++) {
                var volume = provider.create(VolumeId.of("zfs", "data-" + number), VOLUME_BYTES);
                volumes.add(volume.id());
                mounts.add(mounted(volume));
                Files.writeString(mounts.getLast().resolve("file"), "of " + number);
            }
            assertThat(provider.volume(volumes.getFirst()).mountPoints()).containsExactly(mounts.getFirst());
            var request = new CutRequest(new RecoveryPointId("rp-frozen"), volumes);
            provider.prepare(request);
            for (var mount : mounts) {
                Programs.run("fsfreeze", "-f", mount.toString());
            }

            commands.frozen = true;
            var cut = provider.cut(request);
            commands.frozen = false;

            for (var mount : mounts) {
                Programs.run("fsfreeze", "-u", mount.toString());
                Files.writeString(mount.resolve("file"), "later");
                Programs.run("umount", mount.toString());
            }
            assertThat(cut.atomic()).isTrue();
            var first = cut.members().getFirst();
            System.out.printf(
                    "cut of %d volumes: %d us%n", GROUP, (first.finishedNanos() - first.startedNanos()) / 1_000);
            for (int number = 0; number < GROUP; number++) {
                var clone = provider.clone(new CloneRequest(
                        cut.members().get(number).snapshot().id(), VolumeId.of("zfs", "clone-" + number)));
                assertThat(clone).isNotNull();
                var mount = remounted(provider.volume(VolumeId.of("zfs", "clone-" + number)));
                assertThat(mount.resolve("file")).hasContent("of " + number);
                Programs.run("umount", mount.toString());
            }
        }
    }

    private static Path mounted(Volume volume) throws IOException {
        Programs.run("mkfs.ext4", "-q", volume.device().orElseThrow().toString());
        return remounted(volume);
    }

    private static Path remounted(Volume volume) throws IOException {
        var mount = Files.createTempDirectory("zvol");
        Programs.run("mount", volume.device().orElseThrow().toString(), mount.toString());
        return mount;
    }

    @Test
    void volumeInUseIsNeitherWrittenNorRolledBackNorRemoved() throws Exception {
        try (var provider = open()) {
            var volume = provider.create(VolumeId.of("zfs", "used"), VOLUME_BYTES);
            var unsnapped = provider.create(VolumeId.of("zfs", "loose"), VOLUME_BYTES);
            var snapshot = cut(provider, volume.id());
            var device = volume.device().orElseThrow();

            var mount = mounted(volume);
            assertThat(holderAt(() -> provider.rollback(snapshot))).contains("mount");
            assertThat(holderAt(() -> provider.write(volume.id()))).contains("mount");
            Programs.run("umount", mount.toString());

            Programs.run("losetup", "/dev/loop7", device.toString());
            assertThat(holderAt(() -> provider.rollback(snapshot))).contains("/dev/loop7");
            Programs.run("losetup", "-d", "/dev/loop7");

            try (var opened = FileChannel.open(unsnapped.device().orElseThrow(), StandardOpenOption.READ)) {
                assertThat(opened.isOpen()).isTrue();
                assertThat(holderAt(() -> provider.remove(unsnapped.id())))
                        .contains(String.valueOf(ProcessHandle.current().pid()));
            }
            var alias = sameDevice(unsnapped.device().orElseThrow());
            try (var opened = FileChannel.open(alias, StandardOpenOption.READ)) {
                assertThat(opened.isOpen()).isTrue();
                assertThat(holderAt(() -> provider.remove(unsnapped.id())))
                        .contains(String.valueOf(ProcessHandle.current().pid()));
            }
            Files.delete(alias);
            provider.rollback(snapshot);
            provider.remove(unsnapped.id());
        }
    }

    /** As a container has it: a node of another name. */
    private static Path sameDevice(Path device) throws IOException {
        var alias = Path.of("/dev/alias");
        var numbers = Programs.run("stat", "-L", "-c", "%Hr %Lr", device.toString())
                .strip()
                .split(" ", -1);
        Programs.run("mknod", alias.toString(), "b", numbers[0], numbers[1]);
        return alias;
    }

    private interface Call {
        void run() throws ProviderException;
    }

    private static String holderAt(Call call) {
        try {
            call.run();
        } catch (ProviderException e) {
            assertThat(e.error()).isInstanceOf(ProviderError.Busy.class);
            return ((ProviderError.Busy) e.error()).holder();
        }
        throw new AssertionError("not refused");
    }

    @Test
    void volumeThatOthersMadeKeepsItsNameItsSettingsAndTheirSnapshots() throws Exception {
        Programs.run("zfs", "create", "-V", "1M", "-o", "compression=zstd", "-o", "org:owner=db", DATASET + "/db");
        var volume = VolumeId.of("zfs", DATASET + "/db");
        try (var provider = open()) {
            write(provider, volume, 1);
            Programs.run("zfs", "snapshot", DATASET + "/db@daily-1");
            var snapshot = cut(provider, volume);
            write(provider, volume, 2);
            Programs.run("zfs", "snapshot", DATASET + "/db@daily-2");

            provider.rollback(snapshot);

            assertThat(content(provider, volume)).isEqualTo(1);
            assertThat(Programs.run("zfs", "get", "-H", "-o", "value", "compression,org:owner", DATASET + "/db")
                            .lines())
                    .containsExactly("zstd", "db");
            assertThat(Programs.run("zfs", "list", "-H", "-o", "name", "-t", "snapshot", "-r", DATASET))
                    .contains("/db@daily-1")
                    .contains("@daily-2");
            assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                    .hasSize(1);
            provider.delete(snapshot);
            assertThatThrownBy(() -> provider.remove(volume)).hasMessageContaining("snapshots");
        }
    }

    @Test
    void nameThatAVolumeOfOthersMayHaveIsRefused() throws Exception {
        try (var provider = open()) {
            var volume = provider.create(VolumeId.of("zfs", "kept"), 1 << 20).id();
            var snapshot = cut(provider, volume);
            var taken = VolumeId.of("zfs", DATASET + "/db");

            assertThatThrownBy(() -> provider.create(taken, 1 << 20)).hasMessageContaining("choose another");
            assertThatThrownBy(() -> provider.clone(new CloneRequest(snapshot, taken)))
                    .hasMessageContaining("choose another");

            provider.delete(snapshot);
            provider.remove(volume);
        }
    }

    @Test
    void volumeThatGoesBetweenPreparationAndCutIsNotFoundAndNothingIsCut() throws Exception {
        try (var provider = open()) {
            var kept = provider.create(VolumeId.of("zfs", "kept"), 1 << 20).id();
            var gone = provider.create(VolumeId.of("zfs", "gone"), 1 << 20).id();
            var request = new CutRequest(new RecoveryPointId("rp-half"), List.of(kept, gone));
            provider.prepare(request);
            provider.remove(gone);

            assertThatThrownBy(() -> provider.cut(request)).hasMessageContaining("zfs:gone does not exist");

            assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                    .isEmpty();
        }
    }

    @Test
    void snapshotDeletedUnderItsCloneCanBeCutAgain() throws Exception {
        try (var provider = open()) {
            var volume = provider.create(VolumeId.of("zfs", "a"), 1 << 20).id();
            var clone = VolumeId.of("zfs", "b");
            var request = new CutRequest(new RecoveryPointId("rp-again"), List.of(volume));
            write(provider, volume, 1);
            var snapshot = provider.cut(request).members().getFirst().snapshot().id();
            provider.clone(new CloneRequest(snapshot, clone));
            provider.delete(snapshot);
            assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                    .isEmpty();

            write(provider, volume, 2);
            provider.cut(request);

            assertThat(content(provider, snapshot)).isEqualTo(2);
            assertThat(content(provider, clone)).isEqualTo(1);
            provider.remove(clone);
            provider.delete(snapshot);
            provider.remove(volume);
        }
    }
}

package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.provider.commands.Command;
import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.commands.CommandStream;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotStreams.Incoming;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where a stream is received, what of it is refused, and what is noted for whoever comes after a death. */
class ReceivedStreamTest {
    private static final String FILES = "tank/fs";
    private static final VolumeId VOLUME = VolumeId.of("zfs", FILES);
    private static final SnapshotId OLDER = new SnapshotId(VOLUME, new RecoveryPointId("rp-1"));
    private static final SnapshotId NEWER = new SnapshotId(VOLUME, new RecoveryPointId("rp-2"));
    private static final Optional<RecoveryPointId> UPON_OLDER = Optional.of(OLDER.recoveryPoint());
    private static final String BRANCH = ZfsNames.forBranch(FILES, 1);
    private static final String NAME = "@" + ZfsNames.forSnapshot(NEWER);
    private static final long GUID = 77;
    private static final String ARRIVAL =
            "%s %d %d000".formatted(ZfsNames.forSnapshot(NEWER), GUID, StreamBytes.CUT_AT_SECONDS);

    @TempDir
    private Path processes;

    private final ReceivingZfs zfs = new ReceivingZfs();
    private ZfsStreams streams;

    /** Makes the snapshot at once; its program takes and forgets what it is fed. */
    private static final class ReceivingZfs extends FakeZfs {
        private String program = "cat >/dev/null";
        private long madeGuid = GUID;
        private long written;
        private Optional<String> encryptionRoot = Optional.empty();

        @Override
        CommandStream receive(String snapshot, Optional<String> origin, Map<String, String> properties)
                throws ProviderException {
            changes.add(
                    "receive " + snapshot + origin.map(each -> " on " + each).orElse(""));
            if (objects.keySet().stream().noneMatch(each -> snapshot.startsWith(each + "@"))) {
                addFiles(snapshot.substring(0, snapshot.indexOf('@')), properties);
            }
            addFiles(snapshot, Map.of());
            properties(snapshot).put("guid", Long.toString(madeGuid));
            try {
                return new CommandRunner().sink(Command.of("sh", "-c", program));
            } catch (CommandException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        long writtenSince(ZfsObject snapshot, String fileSystem) {
            return written;
        }

        @Override
        Map<String, String> values(String dataset, List<String> properties) {
            return Map.of("acltype", "posix");
        }

        @Override
        Optional<String> encryptionRoot(String name) {
            return encryptionRoot;
        }
    }

    @BeforeEach
    void makeVolume() throws IOException {
        var self = Files.createDirectories(processes.resolve("self"));
        Files.writeString(self.resolve("mountinfo"), "");
        zfs.addFiles(FILES, Map.of());
        streams = new ZfsStreams(
                zfs, zfs::catalog, new ArrivalPlaces(zfs, zfs::catalog, new MountTable(processes), this));
    }

    private long olderGuid() throws ProviderException {
        var name = FILES + "@" + ZfsNames.forSnapshot(OLDER);
        zfs.addFiles(name, Map.of(ZfsNames.POINT, "rp-1", ZfsNames.CUT_AT, "1"));
        return Long.parseLong(zfs.properties(name).get("guid"));
    }

    private Incoming written(Optional<RecoveryPointId> older, byte[] stream) throws ProviderException {
        var incoming = streams.receive(older, NEWER);
        incoming.write(ByteBuffer.wrap(stream));
        return incoming;
    }

    private static <E extends ProviderError> E errorOf(Class<E> kind, ThrowingCallable call) {
        var thrown = catchThrowableOfType(ProviderException.class, call);
        assertThat(thrown).as("a %s", kind.getSimpleName()).isNotNull();
        assertThat(thrown.error()).isInstanceOf(kind);
        return kind.cast(thrown.error());
    }

    @Test
    void volumeThatStandsAtTheOlderSnapshotTakesTheNewerOneItself() throws Exception {
        var stream = StreamBytes.upon(olderGuid(), GUID).write(1_000).ended();

        try (var incoming = written(UPON_OLDER, stream)) {
            assertThat(zfs.changes).containsExactly("receive " + FILES + NAME);
            var taken = incoming.finish();

            assertThat(taken.id()).isEqualTo(NEWER);
            assertThat(taken.createdAt()).isEqualTo(Instant.ofEpochSecond(StreamBytes.CUT_AT_SECONDS));
            assertThat(zfs.catalog().get(NEWER).describe()).isEqualTo(taken);
        }

        assertThat(zfs.properties(FILES)).doesNotContainKey(ZfsNames.ARRIVING);
        assertThat(zfs.changes)
                .containsExactly(
                        "receive " + FILES + NAME,
                        "set " + FILES + " " + ZfsNames.ARRIVING,
                        "set " + FILES + NAME + " " + ZfsNames.CUT_AT + "," + ZfsNames.POINT,
                        "unset " + FILES + " " + ZfsNames.ARRIVING);
    }

    @Test
    void volumeThatWasWrittenToOrIsMountedIsLeftAloneAndTheStreamTakenBesideIt() throws Exception {
        long older = olderGuid();
        zfs.written = 512;
        try (var incoming = written(UPON_OLDER, StreamBytes.upon(older, GUID).ended())) {
            incoming.finish();
        }
        zfs.written = 0;
        Files.writeString(
                processes.resolve("self/mountinfo"), "31 22 0:27 / /mnt/a rw - zfs " + FILES + " rw,xattr,noacl\n");
        var third = new SnapshotId(VOLUME, new RecoveryPointId("rp-3"));
        try (var incoming = streams.receive(UPON_OLDER, third)) {
            incoming.write(ByteBuffer.wrap(StreamBytes.upon(older, GUID).ended()));
            incoming.finish();
        }

        var upon = " on " + FILES + "@" + ZfsNames.forSnapshot(OLDER);
        assertThat(zfs.changes)
                .filteredOn(each -> each.startsWith("receive"))
                .containsExactly(
                        "receive " + BRANCH + NAME + upon,
                        "receive " + ZfsNames.forBranch(FILES, 2) + "@" + ZfsNames.forSnapshot(third) + upon);
        assertThat(zfs.changes).noneMatch(each -> each.startsWith("set " + FILES + " "));
        assertThat(zfs.properties(BRANCH))
                .containsEntry("canmount", "noauto")
                .containsEntry("mountpoint", "none")
                .containsEntry("acltype", "posix")
                .containsEntry(ZfsNames.REPLACED, "on")
                .doesNotContainKey(ZfsNames.ARRIVING);
        assertThat(zfs.catalog().snapshots()).hasSize(3);
    }

    @Test
    void whatWasSentUponAnotherVolumesSnapshotIsTakenBesideTheVolume() throws Exception {
        try (var incoming =
                written(UPON_OLDER, StreamBytes.uponOther(olderGuid(), GUID).ended())) {
            incoming.finish();
        }

        assertThat(zfs.changes.getFirst()).startsWith("receive " + BRANCH);
    }

    @Test
    void wholeStreamIsTakenBesideTheVolume() throws Exception {
        try (var incoming = written(Optional.empty(), StreamBytes.whole(GUID).ended())) {
            incoming.finish();
        }

        assertThat(zfs.changes.getFirst()).isEqualTo("receive " + BRANCH + NAME);
        assertThat(zfs.catalog().get(NEWER).on().zvol()).isEqualTo(BRANCH);
    }

    @Test
    void streamOfAnotherBaseIsRefusedBeforeAnythingStarts() throws Exception {
        long older = olderGuid();

        var other = errorOf(
                ProviderError.Corrupt.class,
                () -> written(UPON_OLDER, StreamBytes.upon(-5, GUID).ended()));
        assertThat(other.message()).contains(Long.toUnsignedString(-5)).contains("guid " + older);
        streams.close();
        errorOf(
                ProviderError.Corrupt.class,
                () -> written(UPON_OLDER, StreamBytes.whole(GUID).ended()));
        streams.close();
        errorOf(
                ProviderError.Corrupt.class,
                () -> written(UPON_OLDER, StreamBytes.ofBlocks(GUID).ended()));

        assertThat(zfs.changes).isEmpty();
    }

    @Test
    void wholeStreamIsTakenBesideSnapshotsThatAreThere() throws Exception {
        zfs.addFiles(FILES + "@somebodys", Map.of());
        olderGuid();

        try (var incoming = written(Optional.empty(), StreamBytes.whole(GUID).ended())) {
            incoming.finish();
        }

        assertThat(zfs.changes.getFirst()).isEqualTo("receive " + BRANCH + NAME);
        assertThat(zfs.objects).containsKey(FILES + "@somebodys");
        assertThat(zfs.catalog().snapshots()).hasSize(2);
    }

    @Test
    void foreignSnapshotOfTheNameIsNotTouched() throws Exception {
        olderGuid();
        zfs.addFiles(FILES + NAME, Map.of());

        var refused = errorOf(ProviderError.Conflict.class, () -> streams.receive(UPON_OLDER, NEWER));

        assertThat(refused.message()).contains(FILES + NAME).contains("zfs rename");
        assertThat(zfs.changes).isEmpty();
    }

    @Test
    void snapshotOfADeadReceiverIsMadeOursByTheNextOne() throws Exception {
        zfs.addFiles(BRANCH, Map.of(ZfsNames.REPLACED, "on", ZfsNames.ARRIVING, ARRIVAL));
        zfs.addFiles(BRANCH + NAME, Map.of());
        zfs.properties(BRANCH + NAME).put("guid", Long.toString(GUID));

        var refused = errorOf(ProviderError.Conflict.class, () -> streams.receive(Optional.empty(), NEWER));

        assertThat(refused.message()).contains("here already");
        assertThat(zfs.catalog().find(NEWER)).isPresent();
        assertThat(zfs.properties(BRANCH)).doesNotContainKey(ZfsNames.ARRIVING);
    }

    @Test
    void snapshotThatIsNotTheAnnouncedOneStaysSomebodyElses() throws Exception {
        zfs.properties(FILES).put(ZfsNames.ARRIVING, ARRIVAL);
        zfs.addFiles(FILES + NAME, Map.of());

        errorOf(ProviderError.Conflict.class, () -> streams.receive(Optional.empty(), NEWER));

        assertThat(zfs.catalog().find(NEWER)).isEmpty();
        assertThat(zfs.changes).isEmpty();
    }

    @Test
    void snapshotThatIsNotWhatWasSentIsNotListed() throws Exception {
        zfs.madeGuid = 78;
        try (var incoming = written(Optional.empty(), StreamBytes.whole(GUID).ended())) {
            var refused = errorOf(ProviderError.Corrupt.class, incoming::finish);

            assertThat(refused.message()).contains("guid 77").contains("guid 78");
        }
        assertThat(zfs.catalog().find(NEWER)).isEmpty();
    }

    @Test
    void whatZfsSaysOfAStreamItDoesNotTakeIsTold() throws Exception {
        zfs.program = "echo 'cannot receive: invalid stream (checksum mismatch)' >&2; exit 1";
        try (var incoming = streams.receive(Optional.empty(), NEWER)) {
            var refused = errorOf(ProviderError.Corrupt.class, () -> {
                incoming.write(ByteBuffer.wrap(
                        StreamBytes.whole(GUID).write(1 << 20).write(1 << 20).ended()));
                incoming.finish();
            });

            assertThat(refused.message()).contains("checksum mismatch");
            assertThatThrownBy(incoming::finish).isInstanceOf(Exception.class);
        }
        assertThat(zfs.catalog().find(NEWER)).isEmpty();
    }

    @Test
    void snapshotThatSomebodyTookMeanwhileIsNamed() throws Exception {
        zfs.program = "cat >/dev/null; echo 'cannot receive incremental stream: invalid backup stream' >&2; exit 1";
        try (var incoming =
                written(UPON_OLDER, StreamBytes.upon(olderGuid(), GUID).ended())) {
            zfs.objects.remove(FILES + NAME);
            zfs.addFiles(FILES + "@hourly", Map.of());

            assertThat(errorOf(ProviderError.Busy.class, incoming::finish).message())
                    .contains(FILES + "@hourly");
        }
    }

    @Test
    void streamThatIsNotEncryptedDoesNotReplaceAVolumeWithAKeyOfItsOwn() throws Exception {
        zfs.encryptionRoot = Optional.of(FILES);

        var refused = errorOf(
                ProviderError.Conflict.class,
                () -> written(Optional.empty(), StreamBytes.whole(GUID).ended()));

        assertThat(refused.message()).contains("key of its own");
        assertThat(zfs.changes).isEmpty();
        streams.close();
        zfs.encryptionRoot = Optional.of("tank");
        written(Optional.empty(), StreamBytes.whole(GUID).ended()).close();
        streams.close();
        assertThat(zfs.changes).hasSize(1);
    }

    @Test
    void volumeAndBaseOfAStreamAreInUseUntilItIsClosed() throws Exception {
        var incoming = written(UPON_OLDER, StreamBytes.upon(olderGuid(), GUID).ended());

        errorOf(ProviderError.Busy.class, () -> streams.receive(UPON_OLDER, NEWER));
        errorOf(ProviderError.Busy.class, () -> streams.refuseWhileReceiving(VOLUME));
        errorOf(ProviderError.Busy.class, () -> streams.refuseWhileUsed(OLDER));

        incoming.close();
        incoming.close();
        assertThatThrownBy(incoming::finish).hasMessageContaining("was closed");
        streams.refuseWhileReceiving(VOLUME);
        streams.refuseWhileUsed(OLDER);
    }

    @Test
    void closedStreamStartsNothing() throws Exception {
        var incoming = streams.receive(Optional.empty(), NEWER);
        incoming.close();

        assertThatThrownBy(() ->
                        incoming.write(ByteBuffer.wrap(StreamBytes.whole(GUID).ended())))
                .hasMessageContaining("was closed");

        assertThat(zfs.changes).isEmpty();
    }

    @Test
    void commandsForceNothing() {
        assertThat(ZfsCommands.receiving("tank/o@n", Optional.of("tank/fs@o"), Map.of("a:b", "c"))
                        .argv())
                .containsExactly("zfs", "receive", "-u", "-o", "origin=tank/fs@o", "-o", "a:b=c", "tank/o@n");
        assertThat(ZfsCommands.sending(Optional.of("tank/fs@o"), "tank/fs@n", true)
                        .argv())
                .containsExactly("zfs", "send", "-L", "-c", "-w", "-i", "tank/fs@o", "tank/fs@n");
        assertThat(ZfsCommands.sending(Optional.empty(), "tank/fs@n", false).argv())
                .containsExactly("zfs", "send", "-L", "-c", "tank/fs@n");
    }
}

package io.tidemark.system.lab;

import static io.tidemark.system.lab.LabPool.CHUNK_BYTES;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Programs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

/** LVM's programs die in the middle of a call: what the provider lists is whole, and it works on. */
@InLab
class ThinKillsInLab {
    private static final long VOLUME_BYTES = 64 << 20;
    private static final int CHUNKS = 4;
    /** Of the 76 calls that {@code lvcreate -V -an} makes, and the 110 of {@code -s}, every ninth. */
    private static final int CALLS_STEP = 9;

    private static final int CALLS_MAXIMUM = 400;

    /** Of some 90 or more calls: once LVM has written its list, about when the kernel is told. */
    private static final int CHANGE_CALL = 76;

    /**
     * Of a rename of what is not active, which has 28 calls and tells the kernel nothing: between the writes of LVM's list.
     * Of a deactivation, and of the removal of what is not active, which have fewer than {@link #CHANGE_CALL}: on their way.
     */
    private static final int LIST_CALL = 27;

    private interface Call {
        void run() throws Exception;
    }

    /** @return whether it came to its end in spite of all */
    private static boolean survives(Call call) throws Exception {
        try {
            call.run();
            return true;
        } catch (ProviderException e) {
            System.out.printf("lab: killed: %s %s%n", e.getMessage(), List.of(e.getSuppressed()));
            return false;
        }
    }

    /** Once, and then it is asked for again. */
    private static void killed(ToolFault tool, int nth, Call call) throws Exception {
        tool.killAtCall(nth);
        survives(call);
        assertThat(tool.hasKilled()).as("the program was killed").isTrue();
        call.run();
    }

    private static int valueOf(StorageProvider provider, VolumeId volume) throws ProviderException {
        var bytes = ByteBuffer.allocate(CHUNKS * CHUNK_BYTES);
        try (var writer = provider.write(volume)) {
            writer.read(0, bytes);
        }
        return bytes.get(CHUNK_BYTES);
    }

    /** LVM's number of the pool's state is the kernel's, and nobody hangs. */
    private static void assertAtRest(LabPool pool) throws IOException {
        assertThat(pool.suspended()).isEmpty();
        assertThat(pool.lvs("transaction_id", pool.group() + "/" + LabPool.POOL))
                .isEqualTo(pool.transaction());
    }

    @Test
    void killedLvcreateLeavesNoSnapshotThatIsListedWithoutItsBytes() throws Exception {
        var pool = LabPool.make("64M", "4M");
        try (var provider = pool.open();
                var lvcreate = ToolFault.in("lvcreate")) {
            var volume = provider.create(pool.volume("a"), VOLUME_BYTES).id();
            int value = 0;
            int killed = 0;
            boolean survived = false;
            for (int call = 1; !survived && call < CALLS_MAXIMUM; call += CALLS_STEP) {
                LabPool.fill(provider, volume, 0, CHUNKS, ++value);
                var point = "rp-" + call;
                lvcreate.killAtCall(call);

                survived = survives(() -> LabPool.cut(provider, volume, point));

                killed += survived ? 0 : 1;
                assertAtRest(pool);
                LabPool.fill(provider, volume, 0, CHUNKS, ++value);
                var snapshot = LabPool.cut(provider, volume, point);
                assertThat(LabPool.valueOf(provider, snapshot, 0, CHUNKS)).isEqualTo(survived ? value - 1 : value);
            }
            assertThat(survived).isTrue();
            assertThat(killed).isGreaterThan(1);
            assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                    .hasSize(killed + 1);
        }
    }

    /** @return the name in LVM of a new volume, whose provider is closed */
    private static String filled(LabPool pool, VolumeId volume) throws Exception {
        try (var provider = pool.open()) {
            provider.create(volume, VOLUME_BYTES);
            LabPool.fill(provider, volume, 0, CHUNKS, 1);
            return LabPool.logicalVolume(provider, volume);
        }
    }

    /** Both of the states that a killed {@code lvcreate} was seen to leave, made by hand, for a process that died with it. */
    @Test
    void openTakesBackWhatADeadProcessHasLeftHalfMade() throws Exception {
        var pool = LabPool.make("64M", "4M");
        var volume = pool.volume("a");
        var origin = filled(pool, volume);
        try (var lvcreate = ToolFault.in("lvcreate")) {
            leavePending(pool, lvcreate, origin, "rp-1", false);
        }
        try (var provider = pool.open()) {
            assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                    .isEmpty();
            assertAtRest(pool);
        }
        try (var lvcreate = ToolFault.in("lvcreate")) {
            leavePending(pool, lvcreate, origin, "rp-2", true);
        }
        try (var provider = pool.open()) {
            assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                    .isEmpty();
            assertAtRest(pool);
            LabPool.fill(provider, volume, 0, CHUNKS, 2);
            assertThat(LabPool.valueOf(provider, LabPool.cut(provider, volume, "rp-2"), 0, CHUNKS))
                    .isEqualTo(2);
        }
    }

    /**
     * Of an origin that another one, which was killed, has left suspended, {@code lvcreate -s} makes a volume in LVM's list
     * alone, and ends well.
     */
    @Test
    void openTakesBackASnapshotThatThePoolWasNeverToldOf() throws Exception {
        var pool = LabPool.make("64M", "4M");
        var volume = pool.volume("a");
        var origin = filled(pool, volume);
        Programs.run("dmsetup", "suspend", pool.mapped(origin.replace("-", "--")));
        Programs.run(snapshotOf(pool, origin, "rp-1", "left").toArray(String[]::new));
        assertThat(pool.lvs("transaction_id", pool.group() + "/" + LabPool.POOL))
                .isNotEqualTo(pool.transaction());

        try (var provider = pool.open()) {
            assertThat(pool.suspended()).isEmpty();
            assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                    .isEmpty();
            LabPool.fill(provider, volume, 0, CHUNKS, 2);
            assertThat(LabPool.valueOf(provider, LabPool.cut(provider, volume, "rp-1"), 0, CHUNKS))
                    .isEqualTo(2);
            assertAtRest(pool);
        }
    }

    private static List<String> snapshotOf(LabPool pool, String origin, String point, String name) {
        var line = ("lvcreate -y -s -k y --addtag tidemark.snapshot-of=%s/a --addtag tidemark.point=%s"
                        + " --addtag tidemark.placeholder -n %s %1$s/%s")
                .formatted(pool.group(), point, name, origin);
        return List.of(line.split(" ", -1));
    }

    /**
     * A program that is killed before the pool is told, so that LVM's number is ahead of the kernel's.
     *
     * @param made as if it had been killed a little later
     */
    private static void leavePending(LabPool pool, ToolFault lvcreate, String origin, String point, boolean made)
            throws IOException {
        for (int call = 1; call < CALLS_MAXIMUM; call += CALLS_STEP) {
            var name = "left-%s-%d".formatted(point, call);
            var volume = pool.group() + "/" + name;
            lvcreate.killAtCall(call);
            Programs.attempt(snapshotOf(pool, origin, point, name));
            if (!pool.lvs("transaction_id", pool.group() + "/" + LabPool.POOL).equals(pool.transaction())) {
                if (made) {
                    var id = pool.lvs("thin_id", volume);
                    var device = pool.mapped(origin.replace("-", "--"));
                    Programs.attempt(List.of("dmsetup", "suspend", device));
                    Programs.attempt(List.of("dmsetup", "message", pool.target(), "0", "create_snap " + id + " 1"));
                    assertThat(pool.suspended()).contains(device + "/Suspended");
                }
                return;
            }
            for (var device : pool.suspended()) {
                Programs.run("dmsetup", "resume", device.substring(0, device.indexOf('/')));
            }
            Programs.attempt(List.of("lvremove", "-y", volume));
        }
        throw new AssertionError("no attempt was killed at the right moment");
    }

    @Test
    void killedProgramsLeaveVolumesWithOldOrNewContentAndDeletionsThatCanBeRepeated() throws Exception {
        var pool = LabPool.make("64M", "4M");
        try (var provider = pool.open();
                var lvcreate = ToolFault.in("lvcreate");
                var lvremove = ToolFault.in("lvremove");
                var lvrename = ToolFault.in("lvrename");
                var lvchange = ToolFault.in("lvchange")) {
            var volume = provider.create(pool.volume("a"), VOLUME_BYTES).id();
            LabPool.fill(provider, volume, 0, CHUNKS, 1);
            var one = LabPool.cut(provider, volume, "rp-1");
            LabPool.fill(provider, volume, 0, CHUNKS, 2);
            var two = LabPool.cut(provider, volume, "rp-2");
            int now = 2;
            for (var tool : List.of(lvcreate, lvrename, lvchange, lvremove)) {
                var to = now == 1 ? two : one;
                killed(tool, tool == lvcreate ? CHANGE_CALL : LIST_CALL, () -> provider.rollback(to));
                now = 3 - now;
                assertThat(valueOf(provider, volume)).isEqualTo(now);
            }
            var doomed = LabPool.cut(provider, volume, "rp-doomed");
            killed(lvremove, LIST_CALL, () -> provider.delete(doomed));
            var name = pool.volume("c");
            killed(lvcreate, CHANGE_CALL, () -> provider.clone(new CloneRequest(one, name)));
            assertThat(valueOf(provider, name)).isEqualTo(1);
            assertAtRest(pool);
            assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                    .extracting(each -> each.id())
                    .containsExactly(one, two);
            assertThat(provider.volumes()).hasSize(2);
        }
    }

    @Test
    void killedQuestionsAboutChangesReleaseWhatTheyHaveReserved() throws Exception {
        var pool = LabPool.make("64M", "4M");
        try (var provider = pool.open();
                var thinDelta = ToolFault.in("thin_delta");
                var dmsetup = ToolFault.in("dmsetup")) {
            var volume = provider.create(pool.volume("a"), VOLUME_BYTES).id();
            var older = LabPool.cut(provider, volume, "rp-1");
            LabPool.fill(provider, volume, 0, CHUNKS, 2);
            var newer = LabPool.cut(provider, volume, "rp-2");
            for (int millis : List.of(0, 20)) {
                thinDelta.killAfter(millis);
                survives(() -> provider.changedRanges(older, newer));
                assertAnswered(provider, older, newer);
                // Killed when it had reserved, before it could say so.
                dmsetup.before("%s/dmsetup.kept message %s 0 reserve_metadata_snap; kill -9 $$"
                        .formatted("/run/faults", pool.target()));
                assertThat(survives(() -> provider.changedRanges(older, newer))).isFalse();
                assertAnswered(provider, older, newer);
            }
            // The seventh field: the block of the reserved metadata.
            assertThat(pool.status().split(" ", -1)[6]).isEqualTo("-");
        }
    }

    private static void assertAnswered(StorageProvider provider, SnapshotId older, SnapshotId newer)
            throws ProviderException {
        assertThat(LabPool.ranges(provider.changedRanges(older, newer)))
                .containsExactly(new BlockRange(0, CHUNKS * CHUNK_BYTES));
    }
}

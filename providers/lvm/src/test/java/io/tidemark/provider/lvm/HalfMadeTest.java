package io.tidemark.provider.lvm;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.commands.Outcome;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The states that a killed {@code lvcreate} was seen to leave in the storage lab, in memory. */
class HalfMadeTest {
    private static final List<String> CUT = List.of(LvmNames.SNAPSHOT_OF + "vg/a", LvmNames.POINT + "rp-1");
    private static final List<String> TAGS = List.of(CUT.getFirst(), CUT.getLast(), LvmNames.PLACEHOLDER);
    private final ProviderException failure =
            new ProviderException(new ProviderError.Unexpected("lvcreate", "exit status 137"));

    /** A group whose pool is one change behind LVM. */
    private static final class Group extends LvmCommands {
        private final List<String> calls = new ArrayList<>();
        private final List<LogicalVolume> pending;
        /** Whether the pool has the device, and refuses to make it again. */
        private boolean made;
        /** Whether LVM has no message for the pool any more, which has not had it. */
        private boolean untold;

        private boolean removed;

        Group(boolean made, LogicalVolume... pending) {
            super(new CommandRunner(), "vg");
            this.made = made;
            this.pending = List.of(pending);
        }

        @Override
        List<LogicalVolume> list() {
            var all = removed ? new ArrayList<LogicalVolume>() : new ArrayList<>(pending);
            all.add(new LogicalVolume(
                    "pool", 1 << 20, "thin-pool", "", -1, 65_536, 0, 0, true, true, List.of(), false, StoreUse.NONE));
            return all;
        }

        @Override
        List<LogicalVolume> listSince(String pool, long transaction) {
            return removed ? List.of() : pending;
        }

        @Override
        long transaction(String pool) {
            return removed ? 9 : 8;
        }

        @Override
        Optional<PoolStatus> status(String pool) {
            return Optional.of(new PoolStatus(7, 0, 1, 0, 1, false, false));
        }

        @Override
        void resumeAll() {
            calls.add("resume");
        }

        @Override
        Outcome message(String pool, String message) {
            if (!message.endsWith("metadata_snap")) {
                calls.add(message);
            }
            if (message.startsWith("delete ")) {
                made = false;
            }
            return new Outcome(0, "", "");
        }

        @Override
        String devices(String pool) {
            return made ? "3\n" : "";
        }

        @Override
        void remove(String name) throws ProviderException {
            if (made) {
                throw new ProviderException(new ProviderError.Unexpected("lvremove", "File exists"));
            }
            calls.add("remove " + name);
            removed = true;
            if (untold) {
                throw new ProviderException(
                        new ProviderError.Unexpected("lvremove", "transaction_id is 7, while expected 8"));
            }
        }
    }

    private static LogicalVolume volume(List<String> tags) {
        return new LogicalVolume("left", 1 << 20, "thin", "pool", 3, 0, 0, 0, false, false, tags, false, StoreUse.NONE);
    }

    private static void sweep(Group group) throws ProviderException {
        new HalfMade(group).sweep(new LvmCatalog("vg", group.list()), new ThinMetadata(group));
    }

    @Test
    void whatWasKilledIsResumedAndRemovedAndItsFailureIsStillTold() {
        var group = new Group(false, volume(TAGS));

        assertThat(new HalfMade(group).takenBack("left", TAGS, failure)).isSameAs(failure);

        assertThat(group.calls).containsExactly("resume", "remove left");
    }

    @Test
    void deviceThatThePoolHasMadeIsDeletedByItsNumberFirst() throws Exception {
        var group = new Group(true, volume(TAGS));

        sweep(group);

        assertThat(group.calls).containsExactly("resume", "delete 3", "remove left");
    }

    @Test
    void poolThatWasNeverToldIsBroughtAsFarAsLvmExpects() throws Exception {
        var group = new Group(false, volume(TAGS));
        group.untold = true;

        sweep(group);

        assertThat(group.calls).containsExactly("resume", "remove left", "set_transaction_id 7 8");
    }

    @Test
    void whatMayHaveBeenAnsweredAsASnapshotIsRemovedOnlyWhereThePoolLacksIt() throws Exception {
        var there = new Group(true, volume(CUT));
        var lacking = new Group(false, volume(CUT));

        sweep(there);
        sweep(lacking);

        assertThat(there.calls).isEmpty();
        assertThat(lacking.calls).containsExactly("resume", "remove left");
    }

    @Test
    void whatIsSomebodyElsesIsLeftAlone() throws Exception {
        var group = new Group(false, volume(List.of("theirs")));

        sweep(group);
        new HalfMade(group).takenBack("left", TAGS, failure);

        assertThat(group.calls).isEmpty();
    }

    @Test
    void interruptedCallerTakesItBackAndStaysInterrupted() {
        var group = new Group(false, volume(TAGS));
        Thread.currentThread().interrupt();

        new HalfMade(group).takenBack("left", TAGS, failure);

        assertThat(Thread.interrupted()).isTrue();
        assertThat(group.calls).contains("remove left");
    }
}

package io.tidemark.provider.lvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A rollback that dies before each of its steps, and sweeps that die before each of theirs. */
class RollbackTest {
    private static final String VOLUME = "orders";
    private static final VolumeId ID = VolumeId.of("lvm", "vg/orders");

    /** A group in memory; its steps come to an end after a number of changes. */
    private static class Group extends LvmCommands {
        private final Map<String, LogicalVolume> volumes = new LinkedHashMap<>();
        private final Map<String, String> content = new LinkedHashMap<>();
        private int changesLeft = Integer.MAX_VALUE;
        private boolean flushed;
        /** Names of what nobody can open. */
        private final Set<String> inactive = new HashSet<>();

        private boolean opened;

        Group() {
            super(new CommandRunner(), "vg");
            add(VOLUME, "old", List.of("mine"));
            add(
                    "snapshot",
                    "kept",
                    List.of(LvmNames.BYTES + 512, LvmNames.SNAPSHOT_OF + "vg/orders", LvmNames.POINT + "rp-1"));
        }

        private void add(String name, String bytes, List<String> tags) {
            volumes.put(
                    name,
                    new LogicalVolume(
                            name,
                            4 << 20,
                            "thin",
                            "pool",
                            1,
                            0,
                            0,
                            0,
                            !inactive.contains(name),
                            false,
                            tags,
                            false,
                            StoreUse.NONE));
            content.put(name, bytes);
        }

        private LogicalVolume volume(String name) {
            return Objects.requireNonNull(volumes.get(name));
        }

        private String bytes(String name) {
            return Objects.requireNonNull(content.get(name));
        }

        private void change(String name) throws ProviderException {
            if (changesLeft-- <= 0 || !volumes.containsKey(name)) {
                throw new ProviderException(new ProviderError.Unexpected("test", "dead, or no " + name));
            }
        }

        @Override
        List<LogicalVolume> list() {
            return List.copyOf(volumes.values());
        }

        @Override
        void copy(String name, String origin, List<String> tags) throws ProviderException {
            change(origin);
            add(name, bytes(origin), tags);
        }

        @Override
        void deactivate(String name) throws ProviderException {
            change(name);
            if (opened) {
                throw new ProviderException(new ProviderError.Busy(name, "a mount", Duration.ZERO));
            }
            inactive.add(name);
            add(name, bytes(name), volume(name).tags());
        }

        @Override
        void activate(String name) throws ProviderException {
            change(name);
            inactive.remove(name);
            add(name, bytes(name), volume(name).tags());
        }

        @Override
        void rename(String name, String newName) throws ProviderException {
            change(name);
            flushed = false;
            assertThat(volumes).doesNotContainKey(newName);
            if (inactive.remove(name)) {
                inactive.add(newName);
            }
            add(newName, bytes(name), volume(name).tags());
            volumes.remove(name);
            content.remove(name);
        }

        @Override
        void remove(String name) throws ProviderException {
            change(name);
            assertThat(flushed || !LvmNames.isReplaced(name))
                    .as("flushed before %s is removed", name)
                    .isTrue();
            volumes.remove(name);
            content.remove(name);
        }

        @Override
        void tag(String name, List<String> added, List<String> removed) throws ProviderException {
            change(name);
            flushed = false;
            var tags = new ArrayList<>(volume(name).tags());
            tags.removeAll(removed);
            tags.addAll(added);
            add(name, bytes(name), tags);
        }

        /** A power failure takes back what was not flushed; a pool's deletion stays. */
        @Override
        void flush() {
            flushed = true;
        }

        LvmCatalog catalog() {
            return new LvmCatalog("vg", list());
        }
    }

    private static void run(Group group) throws ProviderException {
        var catalog = group.catalog();
        new Rollback(group)
                .run(
                        catalog.named(VOLUME).orElseThrow(),
                        catalog.named("snapshot").orElseThrow());
    }

    @Test
    void rollbackPutsTheSnapshotsBytesUnderTheVolumesNameAndTags() throws Exception {
        var group = new Group();

        run(group);

        assertWhole(group, "kept");
        assertThat(group.catalog().get(ID).sizeBytes()).isEqualTo(512);
    }

    @Test
    void whateverDiesTheVolumeIsTheOldOneOrTheNewOneInTheEnd() throws Exception {
        var steps = new ArrayList<String>();
        for (int left = 0; left < 7; left++) {
            for (int sweepLeft = 0; sweepLeft < 5; sweepLeft++) {
                var group = new Group();
                group.changesLeft = left;
                assertThatThrownBy(() -> run(group)).isInstanceOf(ProviderException.class);
                group.changesLeft = sweepLeft;
                try {
                    new Rollback(group).sweep(group.catalog());
                } catch (ProviderException e) {
                    steps.add(left + " " + sweepLeft);
                }
                group.changesLeft = Integer.MAX_VALUE;

                new Rollback(group).sweep(group.catalog());

                assertWhole(group, left < 4 ? "old" : "kept");
            }
        }
        assertThat(steps).as("sweeps that died too").hasSizeGreaterThan(8);
    }

    @Test
    void volumeThatSomebodyOpensMeanwhileStaysHis() throws Exception {
        var group = new Group();
        group.opened = true;

        assertThatThrownBy(() -> run(group)).hasMessageContaining("in use by a mount");

        assertWhole(group, "old");
    }

    @Test
    void volumeThatIsNotPutAsideCanBeUsedAgain() throws Exception {
        var group = new Group() {
            @Override
            void tag(String name, List<String> added, List<String> removed) throws ProviderException {
                throw new ProviderException(new ProviderError.Unexpected("lvchange", "refused"));
            }
        };

        assertThatThrownBy(() -> run(group)).hasMessageContaining("refused");

        assertThat(group.catalog().named(VOLUME).orElseThrow().active()).isTrue();
    }

    @Test
    void replacementThatHasTheVolumesPlaceStaysWhereSomebodyRemovedTheOldOne() throws Exception {
        var group = new Group();
        group.add(VOLUME, "kept", List.of(LvmNames.REPLACES + VOLUME, "mine"));

        new Rollback(group).sweep(group.catalog());

        assertWhole(group, "kept");
    }

    private static void assertWhole(Group group, String bytes) throws ProviderException {
        assertThat(group.volumes).containsOnlyKeys(VOLUME, "snapshot");
        assertThat(group.content).containsEntry(VOLUME, bytes).containsEntry("snapshot", "kept");
        assertThat(group.catalog().get(ID).on().tags()).contains("mine");
        assertThat(group.catalog().get(ID).on().active()).isTrue();
        assertThat(group.catalog().snapshots()).hasSize(1);
    }
}

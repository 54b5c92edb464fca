package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a rollback of a file system does beside that of a zvol: it is mounted under none of its names meanwhile. */
class FileSystemRollbackTest {
    private static final String VOLUME = "tank/fs";
    private static final String OLDER = VOLUME + "@daily-1";
    private static final String NEWER = VOLUME + "@daily-2";
    private static final String BRANCH = ZfsNames.forBranch(VOLUME, 1);
    private static final String REPLACEMENT = ZfsNames.forReplacement(VOLUME);

    private final Set<String> used = new HashSet<>();
    private final WatchedZfs zfs = new WatchedZfs();
    private final Rollback rollback = new Rollback(zfs, new Removal(zfs), (_, volume) -> {
        if (used.contains(volume.name())) {
            throw ZfsErrors.busy(volume.name(), "test");
        }
    });

    /** Notes what a boot would mount after each renaming; has a bookmark where it is told so. */
    private static final class WatchedZfs extends FakeZfs {
        private final Map<String, String> mountable = new HashMap<>();
        private boolean bookmarked;
        private boolean marksFail;

        @Override
        void rename(String name, String newName) throws ProviderException {
            super.rename(name, newName);
            objects.forEach((each, properties) -> {
                if (each.indexOf('@') < 0
                        && !properties.getOrDefault("canmount", "on").equals("noauto")) {
                    mountable.put(each, newName);
                }
            });
        }

        @Override
        void rollback(String snapshot) throws ProviderException {
            if (bookmarked && snapshot.startsWith(VOLUME + "@")) {
                throw new ProviderException(new ProviderError.Conflict(VOLUME, "it has newer bookmarks"));
            }
            super.rollback(snapshot);
        }

        @Override
        void set(String zvol, Map<String, String> values) throws ProviderException {
            super.set(zvol, values);
            if (marksFail && values.containsKey(ZfsNames.PLACE)) {
                throw new ProviderException(new ProviderError.Unexpected("zfs set", "exit status 137"));
            }
        }
    }

    @BeforeEach
    void makeVolume() {
        zfs.addFiles(VOLUME, Map.of("content", "now"));
        zfs.addFiles(OLDER, Map.of());
        zfs.addFiles(NEWER, Map.of());
    }

    private void run(String snapshot) throws ProviderException {
        var catalog = zfs.catalog();
        rollback.run(
                zfs::catalog,
                catalog.named(VOLUME).orElseThrow(),
                catalog.named(snapshot).orElseThrow());
    }

    @Test
    void nothingOfARollbackCanBeMountedByABootUntilItIsDone() throws Exception {
        run(OLDER);

        assertThat(zfs.mountable).isEmpty();
        assertThat(zfs.properties(VOLUME)).doesNotContainKeys("canmount", ZfsNames.MOUNTING, "content");
        assertThat(zfs.properties(BRANCH)).containsEntry("canmount", "noauto");
        assertThat(zfs.changes).filteredOn("without mounting"::equals).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"on", "off", "noauto"})
    void howItIsMountedIsAsItWas(String mounting) throws Exception {
        zfs.properties(VOLUME).put("canmount", mounting);

        run(OLDER);

        assertThat(zfs.properties(VOLUME)).containsEntry("canmount", mounting).doesNotContainKey(ZfsNames.MOUNTING);
    }

    @Test
    void whatAnEarlierRollbackCouldNotSetBackIsNotForgotten() throws Exception {
        zfs.properties(VOLUME).putAll(Map.of("canmount", "noauto", ZfsNames.MOUNTING, "on"));

        run(OLDER);

        assertThat(zfs.properties(VOLUME)).containsEntry("canmount", "on");
    }

    @Test
    void startSetsBackWhatACrashBeforeTheRenamingHasLeft() throws Exception {
        zfs.properties(VOLUME).putAll(Map.of("canmount", "noauto", ZfsNames.MOUNTING, ZfsNames.MOUNTING_DEFAULT));

        rollback.sweep(zfs::catalog);

        assertThat(zfs.properties(VOLUME)).containsKey("content").doesNotContainKeys("canmount", ZfsNames.MOUNTING);
    }

    @Test
    void markThatWasMadeByAProgramThatWasKilledIsTakenBackAtOnce() throws Exception {
        zfs.marksFail = true;

        assertThatThrownBy(() -> run(OLDER)).hasMessageContaining("137");

        assertThat(zfs.properties(VOLUME)).containsKey("content").doesNotContainKeys("canmount", ZfsNames.MOUNTING);
    }

    @Test
    void fileSystemThatIsMountedBetweenTheStepsKeepsItsPlaceAndIsMountedAsBefore() throws Exception {
        used.add(BRANCH);

        assertThatThrownBy(() -> run(OLDER))
                .isInstanceOfSatisfying(
                        ProviderException.class, e -> assertThat(e.error()).isInstanceOf(ProviderError.Busy.class));

        assertThat(zfs.properties(VOLUME)).containsKey("content").doesNotContainKeys("canmount", ZfsNames.MOUNTING);
        assertThat(zfs.objects).doesNotContainKeys(BRANCH, REPLACEMENT);
    }

    @Test
    void newestSnapshotIsLeftToZfsWhateverLiesBelow() throws Exception {
        zfs.addFiles(VOLUME + "/below", Map.of());

        run(NEWER);

        assertThat(zfs.changes).containsExactly("rollback " + NEWER);
    }

    @Test
    void olderSnapshotIsRefusedWhereSomethingLiesBelow() {
        zfs.addFiles(VOLUME + "/below", Map.of());
        zfs.addFiles(VOLUME + "-beside", Map.of());

        assertThatThrownBy(() -> run(OLDER))
                .isInstanceOfSatisfying(
                        ProviderException.class, e -> assertThat(e.error()).isInstanceOf(ProviderError.Conflict.class))
                .hasMessageContaining(VOLUME + "/below")
                .hasMessageNotContaining("beside");

        assertThat(zfs.changes).isEmpty();
    }

    @Test
    void bookmarkThatIsNewerMakesACloneTakeThePlace() throws Exception {
        zfs.objects.remove(OLDER);
        zfs.bookmarked = true;

        run(NEWER);

        assertThat(zfs.properties(VOLUME)).doesNotContainKey("content");
        assertThat(zfs.objects).containsOnlyKeys(VOLUME, NEWER);
    }

    @Test
    void settingsOfFileSystemsGoOverAndThoseThatCannotBeSetDoNot() {
        var volume = zfs.catalog().named(VOLUME).orElseThrow();

        var settings = VolumeSettings.ofReplacement(
                volume, Map.of("quota", "1", "mountpoint", "/srv/db", "keylocation", "prompt", "org:owner", "db"));

        assertThat(settings)
                .containsEntry("quota", "1")
                .containsEntry("mountpoint", "/srv/db")
                .containsEntry("org:owner", "db")
                .containsEntry("canmount", "noauto")
                .doesNotContainKey("keylocation");
    }
}

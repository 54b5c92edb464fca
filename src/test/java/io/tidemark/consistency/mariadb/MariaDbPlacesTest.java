package io.tidemark.consistency.mariadb;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.consistency.ApplicationPlaces;
import io.tidemark.consistency.MountTable;
import io.tidemark.consistency.mysqlprotocol.DataPlaces;
import io.tidemark.spi.Capability;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two folders stand for two file systems: the mount table says so, and nothing is mounted. */
class MariaDbPlacesTest {
    private static final int FILES_MAXIMUM = 3;

    @TempDir
    Path root;

    private Path data;
    private Path elsewhere;

    @BeforeEach
    void makeFolders() throws IOException {
        root = root.toRealPath();
        data = Files.createDirectories(root.resolve("volume/data"));
        elsewhere = Files.createDirectories(root.resolve("elsewhere"));
    }

    private ApplicationPlaces.Finding find(Map<String, String> more) {
        var mounts = MountTable.parse("""
                22 1 254:0 / / rw - ext4 /dev/vda rw
                23 22 7:1 / %s rw - ext4 /dev/loop1 rw
                """.formatted(root.resolve("volume")));
        var variables = new HashMap<>(Map.of("datadir", data + "/"));
        variables.putAll(more);
        var volume = new Volume(
                new VolumeId("a:b"),
                0,
                Capability.ofBlocks(),
                Optional.empty(),
                List.of(root.resolve("volume")),
                Map.of());
        return new MariaDbPlaces(new DataPlaces(new ApplicationPlaces(mounts), FILES_MAXIMUM))
                .find(new ServerDescription(variables, false), List.of(volume));
    }

    private void assertOutside(Map<String, String> more, String... words) {
        assertThat(find(more).outside())
                .hasValueSatisfying(
                        place -> assertThat(place).contains(words).contains("lies on none of the group's volumes"));
    }

    @Test
    void relativePlacesAreOfTheDataDirectory() {
        var finding = find(Map.of(
                "innodb_log_group_home_dir", "./",
                "innodb_undo_directory", "./",
                "innodb_data_home_dir", "",
                "innodb_data_file_path", "ibdata1:12M:autoextend",
                "aria_log_dir_path", data.toString()));

        assertThat(finding.outside()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "datadir",
                "innodb_data_home_dir",
                "innodb_log_group_home_dir",
                "innodb_undo_directory",
                "aria_log_dir_path"
            })
    void variableThatLeadsElsewhereIsNamedByItsPath(String variable) {
        assertOutside(Map.of(variable, elsewhere.toString()), elsewhere.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"log_bin_basename", "relay_log_basename"})
    void logThatLeadsElsewhereIsNamedByItsFolder(String variable) {
        assertOutside(Map.of(variable, elsewhere.resolve("log").toString()), elsewhere.toString());
    }

    @Test
    void fileOfTheSystemTablespaceThatLiesElsewhereIsNamed() throws IOException {
        var file = Files.createFile(elsewhere.resolve("ibdata2"));

        assertOutside(Map.of("innodb_data_file_path", "ibdata1:12M;" + file + ":10M:autoextend"), file.toString());
    }

    @Test
    void tableWithADataDirectoryElsewhereIsNamedByItsLinkFile() throws IOException {
        Files.createDirectory(data.resolve("app"));
        Files.createDirectory(elsewhere.resolve("app"));
        Files.writeString(
                data.resolve("app/far.isl"), elsewhere.resolve("app/far.ibd").toString());

        assertOutside(Map.of(), "app/far.isl", elsewhere.resolve("app").toString());
    }

    @Test
    void fileOfATableThatIsALinkIsNamed() throws IOException {
        Files.createDirectory(data.resolve("app"));
        Files.createSymbolicLink(data.resolve("app/far.MYD"), Files.createFile(elsewhere.resolve("far.MYD")));

        assertOutside(Map.of(), "app/far.MYD", elsewhere.toString());
    }

    @Test
    void databaseThatIsALinkIsNamed() throws IOException {
        Files.createSymbolicLink(data.resolve("app"), elsewhere);

        assertOutside(Map.of(), "database", data.resolve("app").toString());
    }

    @Test
    void brokenLinkIsToldAndNotPassedOver() throws IOException {
        Files.createDirectory(data.resolve("app"));
        Files.createSymbolicLink(data.resolve("app/gone.MYD"), elsewhere.resolve("gone.MYD"));

        assertThat(find(Map.of()).unverified())
                .singleElement()
                .satisfies(reason -> assertThat(reason).contains("gone.MYD").contains("nobody checked"));
    }

    @Test
    void filesBeyondTheMaximumAreToldAsNotLookedAt() throws IOException {
        Files.createDirectory(data.resolve("app"));
        for (int index = 0; index <= FILES_MAXIMUM; index++) {
            Files.createFile(data.resolve("app/t%d.ibd".formatted(index)));
        }

        assertThat(find(Map.of()).unverified())
                .containsExactly("more than 3 files are in the data directory: nobody checked where all lie");
    }

    @Test
    void asManyFilesAsTheMaximumAreAllLookedAt() throws IOException {
        Files.createDirectory(data.resolve("app"));
        for (int index = 0; index < FILES_MAXIMUM; index++) {
            Files.createFile(data.resolve("app/t%d.ibd".formatted(index)));
        }

        assertThat(find(Map.of()).unverified()).isEmpty();
    }

    @Test
    void dataDirectoryThatCannotBeSeenIsTold() {
        assertThat(find(Map.of("datadir", root.resolve("hidden").toString())).unverified())
                .anySatisfy(reason -> assertThat(reason).contains("cannot be seen from here"));
    }
}

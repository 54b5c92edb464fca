package io.tidemark.consistency.mongodb;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.consistency.ApplicationPlaces;
import io.tidemark.consistency.MountTable;
import io.tidemark.spi.Capability;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders stand for file systems: the mount table says so, and nothing is mounted. */
class MongoDbPlacesTest {
    private static final int FILES_MAXIMUM = 3;

    @TempDir
    Path root;

    private Path data;
    private Path elsewhere;

    @BeforeEach
    void makeFolders() throws IOException {
        root = root.toRealPath();
        data = Files.createDirectories(root.resolve("volume/db"));
        Files.createDirectories(data.resolve("journal"));
        Files.createFile(data.resolve("WiredTiger"));
        elsewhere = Files.createDirectories(root.resolve("elsewhere"));
    }

    private ApplicationPlaces.Finding find() throws IOException {
        return find(data.toString(), "");
    }

    private ApplicationPlaces.Finding find(String dbPath, String moreMounts) throws IOException {
        var mounts = MountTable.parse("""
                22 1 254:0 / / rw - ext4 /dev/vda rw
                23 22 7:1 / %s rw - ext4 /dev/loop1 rw
                %s""".formatted(root.resolve("volume"), moreMounts));
        var volume = new Volume(
                new VolumeId("a:b"),
                0,
                Capability.ofBlocks(),
                Optional.empty(),
                List.of(root.resolve("volume")),
                Map.of());
        var options = new BsonDocument("storage", new BsonDocument("dbPath", new BsonString(dbPath)));
        return new MongoDbPlaces(new ApplicationPlaces(mounts), FILES_MAXIMUM)
                .find(new Answer(options), List.of(volume));
    }

    @Test
    void dataAndJournalOnTheVolumeAreInside() throws IOException {
        var finding = find();

        assertThat(finding.outside()).isEmpty();
        assertThat(finding.unverified()).isEmpty();
    }

    @Test
    void dataElsewhereIsNamed() throws IOException {
        assertThat(find(elsewhere.toString(), "").outside())
                .hasValueSatisfying(place -> assertThat(place)
                        .contains("dbPath " + elsewhere)
                        .contains("lies on none of the group's volumes"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"orders", "orders/index", "index"})
    void folderOfADatabaseOrItsIndexesThatIsALinkOutIsNamed(String folder) throws IOException {
        var link = data.resolve(folder);
        Files.createDirectories(link.getParent());
        Files.createSymbolicLink(link, elsewhere);

        assertThat(find().outside())
                .hasValueSatisfying(place -> assertThat(place).contains("folder of the data " + link));
    }

    @Test
    void journalThatIsALinkOutIsNamed() throws IOException {
        Files.delete(data.resolve("journal"));
        Files.createSymbolicLink(data.resolve("journal"), elsewhere);

        assertThat(find().outside())
                .hasValueSatisfying(place -> assertThat(place).contains("journal " + data.resolve("journal")));
    }

    @Test
    void journalThatIsAFileSystemOfItsOwnIsNamed() throws IOException {
        var mount = "24 23 7:2 / %s rw - xfs /dev/loop2 rw\n".formatted(data.resolve("journal"));

        assertThat(find(data.toString(), mount).outside())
                .hasValueSatisfying(place -> assertThat(place).contains("journal " + data.resolve("journal")));
    }

    @Test
    void fileThatIsALinkOutIsNamed() throws IOException {
        var file = Files.createFile(elsewhere.resolve("collection-0.wt"));
        Files.createSymbolicLink(data.resolve("collection-0.wt"), file);

        assertThat(find().outside())
                .hasValueSatisfying(
                        place -> assertThat(place).contains("by the link").contains(file.toString()));
    }

    @Test
    void whatNoStartNeedsMayLieAnywhere() throws IOException {
        Files.createSymbolicLink(data.resolve("diagnostic.data"), elsewhere);
        Files.createSymbolicLink(data.resolve("_tmp"), elsewhere);

        assertThat(find().outside()).isEmpty();
    }

    @Test
    void linkToNowhereAndTooManyFilesAreTold() throws IOException {
        Files.createSymbolicLink(data.resolve("a"), root.resolve("absent"));
        for (int file = 0; file < FILES_MAXIMUM; file++) {
            Files.createFile(data.resolve("journal/" + file));
        }

        assertThat(find().unverified())
                .anyMatch(text -> text.contains("more than 3 files"))
                .allMatch(text -> text.contains("nobody checked") || text.contains("is a link to"));
    }

    @Test
    void relativeAndUnseenDataIsNotVerified() throws IOException {
        assertThat(find("data", "").unverified()).anyMatch(text -> text.contains("give it an absolute path"));
        assertThat(find("/absent/db", "").unverified()).anyMatch(text -> text.contains("cannot be seen from here"));
    }
}

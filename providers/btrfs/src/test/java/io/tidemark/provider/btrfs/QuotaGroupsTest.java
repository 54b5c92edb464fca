package io.tidemark.provider.btrfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.commands.Outcome;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What Linux 6.18 shows in {@code /sys/fs/btrfs/UUID/qgroups}, and btrfs-progs 6.2 prints. */
class QuotaGroupsTest {
    private static final Path FOLDER = Path.of("/srv/data");

    @TempDir
    private Path groups;

    @SuppressWarnings("NullAway.Init") // made before every test
    QuotaGroupsTest() {}

    @BeforeEach
    void countAll() throws Exception {
        write("enabled", "1");
        write("inconsistent", "0");
        write("mode", "qgroup");
        write("drop_subtree_threshold", "3");
        Files.createDirectory(groups.resolve("0_256"));
        write("0_256/referenced", "5259264");
        write("0_256/exclusive", "16384");
    }

    private void write(String name, String content) throws Exception {
        Files.writeString(groups.resolve(name), content + "\n");
    }

    private QuotaGroups.Counts counts() throws ProviderException {
        return QuotaGroups.of(groups, FOLDER);
    }

    private void isToldNowhere(String why) throws Exception {
        assertThat(counts().told()).contains(why).endsWith("so no size is told");
        assertThat(counts().bytesOf(256)).isZero();
    }

    @Test
    void whatASubvolumeRefersToIsItsSize() throws Exception {
        assertThat(counts().told()).isEqualTo("on");
        assertThat(counts().bytesOf(256)).isEqualTo(5_259_264);
    }

    @Test
    void groupThatWasDeletedTellsNothing() throws Exception {
        assertThat(counts().bytesOf(257)).isZero();
    }

    @Test
    void kernelsBefore61SayNothingOfTheState() throws Exception {
        for (var name : new String[] {"enabled", "inconsistent", "mode"}) {
            Files.delete(groups.resolve(name));
        }

        assertThat(counts().bytesOf(256)).isEqualTo(5_259_264);
    }

    @Test
    void whereQuotasAreOffNoSizeIsToldAndHowToTurnThemOn() throws Exception {
        write("enabled", "0");
        isToldNowhere("off (btrfs quota enable /srv/data)");
        assertThat(QuotaGroups.of(groups.resolve("absent"), FOLDER).told()).startsWith("off (");
    }

    @Test
    void inconsistentCountsAreNotToldButHowToMendThem() throws Exception {
        write("inconsistent", "1");
        isToldNowhere("inconsistent (btrfs quota rescan -w /srv/data)");
    }

    /** They count what a subvolume wrote itself: of a snapshot of 300 kB 16 kB. */
    @Test
    void simpleQuotasTellNoSize() throws Exception {
        write("mode", "squota");
        isToldNowhere("simple, which do not count what is shared");
    }

    @ParameterizedTest
    @CsvSource({"enabled, 2", "mode, tqgroup", "inconsistent, ''", "inconsistent, yes"})
    void stateThatIsNotKnownIsUnexpectedWithItsText(String name, String content) throws Exception {
        write(name, content);

        assertThatThrownBy(this::counts)
                .isInstanceOfSatisfying(
                        ProviderException.class,
                        e -> assertThat(e.error())
                                .isEqualTo(new ProviderError.Unexpected("reading " + groups.resolve(name), content)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-1", "16K", "1 2", "99999999999999999999"})
    void sizeThatIsNoneIsUnexpectedWithItsText(String content) throws Exception {
        write("0_256/referenced", content);
        var counts = counts();

        assertThatThrownBy(() -> counts.bytesOf(256))
                .isInstanceOfSatisfying(
                        ProviderException.class,
                        e -> assertThat(e.error())
                                .isEqualTo(new ProviderError.Unexpected(
                                        "reading " + groups.resolve("0_256/referenced"), content)));
    }

    @Test
    void countingAnewIsToldByTheProgram() throws Exception {
        assertThat(QuotaGroups.isCountingAnew(new Outcome(0, "rescan operation running (current key 33472513)\n", "")))
                .isTrue();
        assertThat(QuotaGroups.isCountingAnew(new Outcome(0, "no rescan operation in progress\n", "")))
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "0, '', ''",
        "0, no rescan operation in progress at all, ''",
        "1, no rescan operation in progress, ''",
        "1, '', ERROR: quota rescan failed: Inappropriate ioctl for device"
    })
    void answerThatIsNotKnownIsUnexpectedWithItsText(int exit, String stdout, String stderr) {
        var outcome = new Outcome(exit, stdout, stderr);

        assertThatThrownBy(() -> QuotaGroups.isCountingAnew(outcome))
                .isInstanceOfSatisfying(
                        ProviderException.class,
                        e -> assertThat(e.error())
                                .isEqualTo(new ProviderError.Unexpected("btrfs quota rescan -s", outcome.evidence())));
    }
}

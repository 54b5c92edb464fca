package io.tidemark.provider.btrfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.HostRequirement.State;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BtrfsConfigTest {

    @Test
    void folderIsTheOneSetting() {
        assertThat(BtrfsConfig.of(Map.of("folder", "/srv/data")).folder()).isEqualTo(Path.of("/srv/data"));
    }

    @Test
    void whatIsMissingUnknownOrNoPathIsNamed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BtrfsConfig.of(Map.of()))
                .withMessageContaining("needs the setting folder");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BtrfsConfig.of(Map.of("folders.0", "/srv")))
                .withMessageContaining("unknown setting folders of provider btrfs (entry 1 of folders)");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BtrfsConfig.of(Map.of("folder", "srv/data")))
                .withMessageContaining("srv/data");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BtrfsConfig.of(Map.of("folder", "/srv/\0")))
                .withMessageContaining("not a path");
    }

    @Test
    void checkTellsOfAFolderThatIsMissingOrOnAnotherFileSystem(@TempDir Path folder) {
        var factory = new BtrfsProviderFactory();

        var missing = factory.check(Map.of("folder", folder.resolve("absent").toString()));
        var other = factory.check(Map.of("folder", "/proc"));

        assertThat(missing).last().extracting(HostRequirement::state).isEqualTo(State.LACKING);
        assertThat(missing.getLast().detail()).contains("does not exist");
        assertThat(other.getLast().state()).isEqualTo(State.LACKING);
        assertThat(other.getLast().detail()).contains("lies on proc");
        assertThat(factory.check(Map.of()))
                .extracting(HostRequirement::what)
                .contains("programs of btrfs-progs", "programs of util-linux");
        assertThat(factory.check(Map.of())).noneMatch(each -> each.what().startsWith("folder"));
    }
}

package io.tidemark.provider.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.ProviderFactory;
import java.nio.file.Path;
import java.util.Map;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ImageConfigTest {
    @Test
    void foldersKeepTheirOrder() {
        var config =
                ImageConfig.of(Map.of("folders.10", "/c", "folders.2", "/b", "folders.0", "/a", "changes", "extents"));

        assertThat(config.folders()).containsExactly(Path.of("/a"), Path.of("/b"), Path.of("/c"));
        assertThat(config.changes()).isEqualTo(ImageConfig.Changes.EXTENTS);
    }

    @ParameterizedTest
    @CsvSource({
        "folder.0, /a, mean folders",
        "folders, /a, expected a list",
        "changess, best, changes",
        "folders.x, /a, mean folders",
        "folders.0, relative, entry 1 of folders: not an absolute path",
        "folders.0, '', entry 1 of folders: not a path",
        "changes, fast, best"
    })
    void badSettingsAreRefusedWithTheRightOne(String key, String value, String advice) {
        assertThatThrownBy(() -> ImageConfig.of(Map.of(key, value, "folders.1", "/b")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(advice);
    }

    @Test
    void noFolderOrTheSameTwiceIsRefused() {
        assertThatThrownBy(() -> ImageConfig.of(Map.of())).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> ImageConfig.of(Map.of("folders.0", "/a", "folders.1", "/b/../a")))
                .hasMessageContaining("twice");
    }

    @Test
    void factoryIsFoundByTheServiceLoader() {
        assertThat(ServiceLoader.load(ProviderFactory.class).stream()
                        .map(found -> found.get().name()))
                .contains("image");
    }
}

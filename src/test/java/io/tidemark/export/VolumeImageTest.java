package io.tidemark.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeWriter;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A live volume whose storage fails. */
class VolumeImageTest {
    @TempDir
    Path folder;

    private final List<String> calls = new ArrayList<>();

    /** Its first flush fails. */
    private VolumeWriter writer(Optional<Path> file) {
        return (VolumeWriter) Proxy.newProxyInstance(
                VolumeWriter.class.getClassLoader(), new Class<?>[] {VolumeWriter.class}, (_, method, arguments) -> {
                    calls.add(method.getName());
                    if (method.getName().equals("flush") && calls.indexOf("flush") == calls.size() - 1) {
                        throw new ProviderException(new ProviderError.Unexpected("flushing", "Input/output error"));
                    }
                    return switch (method.getName()) {
                        case "path" -> file;
                        case "sizeBytes" -> 4_096L;
                        default -> null;
                    };
                });
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void afterAFlushThatFailedNothingIsCalledDurableAnyMore(boolean named) throws Exception {
        var file = named ? Optional.of(Files.write(folder.resolve("disk"), new byte[4_096])) : Optional.<Path>empty();
        var image = VolumeImage.of(writer(file), Optional.empty());
        try (image) {
            image.write(0, ByteBuffer.allocate(1));
            assertThatThrownBy(image::flush).isInstanceOf(IOException.class);

            assertThatThrownBy(image::flush).hasMessageContaining("Input/output error");
            assertThatThrownBy(() -> image.write(0, ByteBuffer.allocate(1))).hasMessageContaining("Input/output error");
            assertThatThrownBy(() -> image.writeZeroes(0, 1, false)).hasMessageContaining("Input/output error");
            assertThat(calls.stream().filter("flush"::equals)).hasSize(1);
        }
    }

    @Test
    void theFileIsClosedWhileTheWriterStillKeepsOthersOff() throws Exception {
        var opened = new ArrayList<FileChannel>();
        var writer = (VolumeWriter) Proxy.newProxyInstance(
                VolumeWriter.class.getClassLoader(), new Class<?>[] {VolumeWriter.class}, (_, method, _) -> {
                    if (method.getName().equals("close")) {
                        calls.add(
                                "closed with an open file: " + opened.getFirst().isOpen());
                        return null;
                    }
                    return Optional.of(Files.write(folder.resolve("disk"), new byte[4_096]));
                });
        var image = VolumeImage.of(writer, Optional.empty());
        opened.add(image.file().orElseThrow());

        image.close();

        assertThat(calls).containsExactly("closed with an open file: false");
    }
}

package io.tidemark.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
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
                        case "flushesBesideWrites" -> file.isPresent();
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

    /** A copy that is replicated live is flushed all the time. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aFlushHoldsUpNoWriteWhereTheWriterTakesBoth(boolean takesBoth) throws Exception {
        var begun = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        var writer = (VolumeWriter) Proxy.newProxyInstance(
                VolumeWriter.class.getClassLoader(), new Class<?>[] {VolumeWriter.class}, (_, method, _) -> {
                    if (method.getName().equals("flush")) {
                        begun.countDown();
                        assertThat(go.await(10, TimeUnit.SECONDS)).isTrue();
                    }
                    return switch (method.getName()) {
                        case "path" -> Optional.empty();
                        case "flushesBesideWrites" -> takesBoth;
                        default -> null;
                    };
                });
        try (var image = VolumeImage.of(writer, Optional.empty())) {
            var flush = CompletableFuture.runAsync(() -> unchecked(image::flush), Thread::startVirtualThread);
            assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
            var write = CompletableFuture.runAsync(
                    () -> unchecked(() -> image.write(0, ByteBuffer.allocate(1))), Thread::startVirtualThread);
            if (takesBoth) {
                write.get(10, TimeUnit.SECONDS);
            } else {
                assertThatThrownBy(() -> write.get(50, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
            }
            go.countDown();
            CompletableFuture.allOf(flush, write).get(10, TimeUnit.SECONDS);
        }
    }

    private interface Call {
        void run() throws IOException;
    }

    private static void unchecked(Call call) {
        try {
            call.run();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
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

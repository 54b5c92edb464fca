package io.tidemark.provider.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.nativeblock.HostCalls;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.conformance.TestStorage;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which flushes have the whole file system written out beforehand, and that none depends on it. */
class ScatteredFlushTest {
    private static final int BLOCK = 4 << 10;
    private static final VolumeId VOLUME = VolumeId.of("image", "scattered");

    /** Of this host, but for syncs of the file system, which are counted and fail. */
    private static HostCalls counting(AtomicInteger syncs) {
        var host = BlockKernels.hostCalls().orElseThrow();
        return (HostCalls) Proxy.newProxyInstance(
                HostCalls.class.getClassLoader(), new Class<?>[] {HostCalls.class}, (_, method, arguments) -> {
                    if (method.getName().equals("syncFileSystem")) {
                        syncs.incrementAndGet();
                        throw new IOException("of somebody else's file");
                    }
                    try {
                        return method.invoke(host, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @ParameterizedTest
    @CsvSource({"btrfs, 4096, 1", "btrfs, 4095, 0", "xfs, 5000, 0"})
    void manyWritesToBtrfsAreWrittenOutBeforeTheFileIsSynced(String kind, int writes, int expected) throws Exception {
        var syncs = new AtomicInteger();
        var host = new ImageHost(
                Optional.of(counting(syncs)),
                new CommandRunner(),
                LoopDevices.ofHost(),
                InstantSource.system(),
                System::nanoTime);
        try (var storage = TestStorage.mounted(kind);
                var provider = ImageProvider.open(
                        new ImageConfig(List.of(storage.freshFolder()), ImageConfig.Changes.BEST), host)) {
            provider.create(VOLUME, 2L * writes * BLOCK);
            try (var writer = provider.write(VOLUME)) {
                for (int i = 0; i < writes; i++) {
                    writer.write(2L * i * BLOCK, ByteBuffer.allocateDirect(BLOCK));
                }
                writer.flush();
                assertThat(syncs).hasValue(expected);

                writer.write(0, ByteBuffer.allocateDirect(BLOCK));
                writer.flush();
                assertThat(syncs).as("counted anew after a flush").hasValue(expected);
            }
        }
    }
}

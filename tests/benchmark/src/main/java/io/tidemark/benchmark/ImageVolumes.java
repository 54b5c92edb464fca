package io.tidemark.benchmark;

import io.tidemark.block.ChangedBlocks;
import io.tidemark.block.ChangedRun;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.ProviderFactory;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.ServiceLoader;

/** Volumes of the image provider in one folder: filled, changed, cut, and read for changes. */
record ImageVolumes(StorageProvider provider) implements AutoCloseable {
    private static final int CHUNK_BYTES = 4 << 20;
    private static final int BLOCK_BYTES = 4096;

    /** Hears of each changed run. */
    @FunctionalInterface
    interface Runs {
        void changed(ChangedRun run) throws Exception;
    }

    static ImageVolumes in(Path folder) throws ProviderException {
        return in(folder, Map.of());
    }

    /** @param settings of the provider, beside its folder */
    static ImageVolumes in(Path folder, Map<String, String> settings) throws ProviderException {
        var all = new HashMap<>(settings);
        all.put("folders.0", folder.toString());
        for (var factory : ServiceLoader.load(ProviderFactory.class)) {
            if (factory.name().equals("image")) {
                return new ImageVolumes(factory.create(Map.copyOf(all)));
            }
        }
        throw new IllegalStateException("the image provider is not on the class path");
    }

    VolumeId filled(String name, long sizeBytes) throws ProviderException {
        var volume = VolumeId.of("image", name);
        provider.create(volume, sizeBytes);
        var random = new Random(sizeBytes);
        var bytes = new byte[CHUNK_BYTES];
        random.nextBytes(bytes);
        var chunk = ByteBuffer.allocateDirect(CHUNK_BYTES);
        try (var writer = provider.write(volume)) {
            for (long at = 0; at < sizeBytes; at += CHUNK_BYTES) {
                for (int block = 0; block < CHUNK_BYTES; block += BLOCK_BYTES) {
                    ByteBuffer.wrap(bytes).putLong(block, random.nextLong());
                }
                writer.write(at, chunk.clear().put(bytes).flip());
            }
            writer.flush();
        }
        return volume;
    }

    void change(VolumeId volume, long[] blockOffsets, long seed) throws ProviderException {
        var random = new Random(seed);
        var bytes = new byte[BLOCK_BYTES];
        var block = ByteBuffer.allocateDirect(BLOCK_BYTES);
        try (var writer = provider.write(volume)) {
            for (long offset : blockOffsets) {
                random.nextBytes(bytes);
                writer.write(offset, block.clear().put(bytes).flip());
            }
            writer.flush();
        }
    }

    SnapshotId cut(VolumeId volume, String recoveryPoint) throws ProviderException {
        var request = new CutRequest(new RecoveryPointId(recoveryPoint), List.of(volume));
        provider.prepare(request);
        return provider.cut(request).members().getFirst().snapshot().id();
    }

    /** The file that holds a snapshot. */
    Path path(SnapshotId snapshot) throws ProviderException {
        try (var reader = provider.read(snapshot)) {
            return reader.path().orElseThrow();
        }
    }

    /** What an incremental cycle does before it sends: names, reads and compares. */
    void changes(SnapshotId older, SnapshotId newer, Runs runs) throws Exception {
        try (var before = provider.read(older);
                var after = provider.read(newer);
                var changed = new ChangedBlocks(
                        provider.changedRanges(older, newer), before, after, BlockKernels.best(), 0)) {
            for (var run = changed.next(); run.isPresent(); run = changed.next()) {
                runs.changed(run.get());
            }
        }
    }

    /** What names the ranges: {@code btrfs-send}, {@code fiemap}, {@code full}. */
    String source(SnapshotId older, SnapshotId newer) throws ProviderException {
        try (var ranges = provider.changedRanges(older, newer)) {
            return ranges.source();
        }
    }

    @Override
    public void close() {
        provider.close();
    }
}

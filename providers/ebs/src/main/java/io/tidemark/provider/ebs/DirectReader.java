package io.tidemark.provider.ebs;

import io.tidemark.provider.cloud.ChunkReads;
import io.tidemark.provider.ebs.DirectCalls.Block;
import io.tidemark.provider.ebs.DirectCalls.PageExpired;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;

/**
 * Reads a snapshot by the EBS direct APIs. Memory: as {@link ChunkReads} with blocks of {@value DirectCalls#BLOCK_BYTES} bytes, and
 * one page of tokens.
 */
final class DirectReader implements SnapshotReader {
    /** 16 MiB: what a reader that goes forward in steps of less than a block comes back to. */
    private static final int KEPT_MAXIMUM = 32;
    /** After a list whose tokens are refused at once another one is of no use. */
    private static final int LISTS_MAXIMUM = 3;

    private final String cloudId;
    private final long sizeBytes;
    private final DirectCalls calls;
    private final ChunkReads chunks;
    private final BlockTokens tokens;
    private final Consumer<DirectReader> onClose;

    /** @param id for people */
    DirectReader(
            String id,
            String cloudId,
            long sizeBytes,
            DirectCalls calls,
            Semaphore permits,
            Consumer<DirectReader> onClose) {
        this.cloudId = cloudId;
        this.sizeBytes = sizeBytes;
        this.calls = calls;
        this.onClose = onClose;
        this.tokens = new BlockTokens(cloudId, calls);
        var image = new ChunkReads.Image("Amazon", id, sizeBytes, DirectCalls.BLOCK_BYTES, KEPT_MAXIMUM);
        this.chunks = new ChunkReads(image, permits, this::fetch);
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
        chunks.read(offsetBytes, target);
    }

    private byte[] fetch(int index) throws ProviderException {
        for (int list = 0; list < LISTS_MAXIMUM; list++) {
            Optional<Block> named;
            try {
                named = tokens.find(index);
            } catch (PageExpired e) {
                // Among empty pages; the next list begins at the block.
                tokens.forget();
                continue;
            }
            if (named.isEmpty()) {
                return new byte[DirectCalls.BLOCK_BYTES];
            }
            var bytes = calls.block(cloudId, named.get());
            if (bytes.isPresent()) {
                return bytes.get();
            }
            tokens.forget();
        }
        throw new ProviderException(new ProviderError.Unexpected(
                "GetSnapshotBlock %d of %s".formatted(index, cloudId),
                "INVALID_BLOCK_TOKEN or INVALID_PAGE_TOKEN for tokens just listed"));
    }

    @Override
    public Optional<Path> path() {
        return Optional.empty();
    }

    @Override
    public void close() {
        if (chunks.close()) {
            onClose.accept(this);
        }
    }
}

package io.tidemark.provider.ebs;

import io.tidemark.provider.ebs.ChainRecord.Sealed;
import io.tidemark.provider.ebs.DirectWrites.UploadEnded;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.function.UnaryOperator;

/**
 * The blocks of a layer, and of nameless ones below it, sent as one snapshot. Ascending, as many at once as there are permits;
 * what a process that died had confirmed is hashed again, not sent again.
 *
 * <p>Memory: the permits' blocks, and the digests of {@value #WINDOW_BLOCKS}.
 */
final class ChainUpload {
    private static final int BLOCK = DirectCalls.BLOCK_BYTES;
    /** Blocks that are waited for at once; more than there are permits, so that one that is slow holds up none. */
    private static final int WINDOW_BLOCKS = 256;
    /** So many blocks may be sent twice around a restart. */
    private static final int CONFIRM_BLOCKS = 256;

    private final DirectWrites writes;
    private final Semaphore permits;
    private final Chain chain;
    private Sealed layer;

    private record Sent(int index, Future<byte[]> digest) {}

    ChainUpload(DirectWrites writes, Semaphore permits, Chain chain, Sealed layer) {
        this.writes = writes;
        this.permits = permits;
        this.chain = chain;
        this.layer = layer;
    }

    /** Sends all and says so. */
    void run() throws ProviderException, UploadEnded {
        var cloudId = layer.cloudId().orElseThrow();
        var blocks = chain.blocks(chain.record().baseNumber(), layer.number());
        var digest = sha256();
        var sources = chain.sealedAgain(layer.number());
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            try {
                send(cloudId, blocks, sources, digest, threads);
            } catch (ProviderException | UploadEnded | RuntimeException e) {
                threads.shutdownNow();
                throw e;
            }
        } finally {
            for (var each : sources) {
                each.close();
            }
        }
        note(Sealed::asCompleting);
        writes.complete(cloudId, blocks.cardinality(), digest.digest());
    }

    private void send(
            String cloudId, BitSet blocks, List<ChainLayer> sources, MessageDigest digest, ExecutorService threads)
            throws ProviderException, UploadEnded {
        Queue<Sent> window = new ArrayDeque<>();
        int confirmed = layer.confirmed();
        int sinceNoted = 0;
        for (int index = blocks.nextSetBit(0); index >= 0; index = blocks.nextSetBit(index + 1)) {
            int block = index;
            boolean known = index < confirmed;
            window.add(new Sent(block, threads.submit(() -> send(cloudId, block, sources, known))));
            if (window.size() == WINDOW_BLOCKS) {
                var sent = window.remove();
                digest.update(await(sent));
                if (++sinceNoted >= CONFIRM_BLOCKS && sent.index() >= confirmed) {
                    sinceNoted = 0;
                    note(each -> each.confirmed(sent.index() + 1));
                }
            }
        }
        for (var sent = window.poll(); sent != null; sent = window.poll()) {
            digest.update(await(sent));
        }
        note(each -> each.confirmed(Math.max(confirmed, blocks.length())));
    }

    private byte[] send(String cloudId, int index, List<ChainLayer> sources, boolean known)
            throws ProviderException, UploadEnded, InterruptedException {
        permits.acquire();
        try {
            var block = new byte[BLOCK];
            if (!Chain.read(sources, index, 0, ByteBuffer.wrap(block))) {
                throw new AssertionError("block %d of %s is in no layer".formatted(index, cloudId));
            }
            var digest = DirectCalls.digestOf(ByteBuffer.wrap(block));
            if (!known) {
                writes.put(cloudId, index, block, digest);
            }
            return digest;
        } finally {
            permits.release();
        }
    }

    private byte[] await(Sent sent) throws ProviderException, UploadEnded {
        try {
            return sent.digest().get();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case ProviderException failure -> throw failure;
                case UploadEnded ended -> throw ended;
                case null, default -> throw new IllegalStateException(e.getCause());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ProviderException(new ProviderError.Unreachable("Amazon, for " + chain.id(), "interrupted"), e);
        }
    }

    /** Where the snapshot was deleted meanwhile the record has no such layer, and stays. */
    private void note(UnaryOperator<Sealed> change) throws ProviderException {
        chain.update(record ->
                record.current(layer).map(change).map(record::replaced).orElse(record));
        layer = change.apply(layer);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
    }
}

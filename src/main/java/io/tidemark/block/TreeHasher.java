package io.tidemark.block;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Computes a checksum tree from its leaves upward, in one pass and in constant memory: one group of digests a level.
 * Every digest of every level goes to a sink in order; who wants to keep them does.
 */
public final class TreeHasher {

    /** Takes digests of one level, in order. */
    @FunctionalInterface
    public interface Sink<E extends Exception> {
        /** @param digests valid during the call only */
        void digests(int level, ByteBuffer digests) throws E;

        /** For who wants the root alone. */
        static Sink<RuntimeException> none() {
            return (level, digests) -> {};
        }
    }

    private final BlockKernel kernel;
    private final HashAlgorithm algorithm;
    private final int groupBytes;
    private final List<ByteBuffer> groups = new ArrayList<>();
    private final List<Long> counts = new ArrayList<>();
    private final ByteBuffer parent;

    public TreeHasher(BlockKernel kernel, HashAlgorithm algorithm) {
        this.kernel = kernel;
        this.algorithm = algorithm;
        this.groupBytes = ChecksumTree.FAN_OUT * algorithm.digestBytes();
        this.parent = ByteBuffer.allocateDirect(algorithm.digestBytes());
    }

    /** Appends leaves; the buffer's position moves to its limit. */
    public <E extends Exception> void append(ByteBuffer leafDigests, Sink<E> sink) throws E {
        if (leafDigests.remaining() % algorithm.digestBytes() != 0) {
            throw new IllegalArgumentException(
                    "%d bytes are no whole number of %s digests".formatted(leafDigests.remaining(), algorithm));
        }
        append(0, leafDigests, sink);
    }

    /** Closes the tree. The hasher must not be used again. */
    public <E extends Exception> Digest finish(Sink<E> sink) throws E {
        if (groups.isEmpty()) {
            return Digest.ofNothing(algorithm);
        }
        int level = 0;
        while (counts.get(level) > 1) {
            if (groups.get(level).position() > 0) {
                promote(level, sink);
            }
            level++;
        }
        return Digest.take(algorithm, groups.get(level).flip());
    }

    private <E extends Exception> void append(int level, ByteBuffer digests, Sink<E> sink) throws E {
        if (!digests.hasRemaining()) {
            return;
        }
        if (level == groups.size()) {
            groups.add(ByteBuffer.allocateDirect(groupBytes));
            counts.add(0L);
        }
        sink.digests(level, digests.asReadOnlyBuffer());
        counts.set(level, counts.get(level) + digests.remaining() / algorithm.digestBytes());
        var group = groups.get(level);
        while (digests.hasRemaining()) {
            // The kernel takes no buffer of the heap.
            if (group.position() == 0 && digests.remaining() >= groupBytes && digests.isDirect()) {
                promoteWhole(level, digests, sink);
                continue;
            }
            int taken = Math.min(group.remaining(), digests.remaining());
            group.put(digests.slice(digests.position(), taken));
            digests.position(digests.position() + taken);
            if (!group.hasRemaining()) {
                promote(level, sink);
            }
        }
    }

    /** Groups that came in one piece: hashed where they lie, as many in one call as make a group of the next level. */
    private <E extends Exception> void promoteWhole(int level, ByteBuffer digests, Sink<E> sink) throws E {
        int whole = Math.min(digests.remaining() / groupBytes, ChecksumTree.FAN_OUT);
        var taken = digests.slice(digests.position(), whole * groupBytes);
        var parents = ByteBuffer.allocateDirect(whole * algorithm.digestBytes());
        kernel.hashBlocks(taken, groupBytes, algorithm, parents);
        digests.position(digests.position() + taken.limit());
        append(level + 1, parents, sink);
    }

    private <E extends Exception> void promote(int level, Sink<E> sink) throws E {
        var group = groups.get(level);
        parent.clear();
        kernel.hashBlocks(group.flip(), groupBytes, algorithm, parent);
        group.clear();
        append(level + 1, parent, sink);
    }
}

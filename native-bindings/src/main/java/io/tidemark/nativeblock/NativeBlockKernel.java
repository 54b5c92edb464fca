package io.tidemark.nativeblock;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** The kernel in C ({@code native-bindings/c}): SIMD hashing, and one pass over whole files by several threads. */
public final class NativeBlockKernel implements BlockKernel {
    private final TidemarkBlockLibrary library;

    NativeBlockKernel(TidemarkBlockLibrary library) {
        this.library = library;
    }

    /** @throws UnsatisfiedLinkError if the file is missing, is for another machine, or has another ABI */
    public static NativeBlockKernel load(Path library) {
        return new NativeBlockKernel(TidemarkBlockLibrary.load(library));
    }

    @Override
    public String name() {
        return "native";
    }

    @Override
    public long diffBlocks(ByteBuffer left, ByteBuffer right, int blockBytes, ByteBuffer differingBits) {
        BlockArguments.checkDiff(left, right, blockBytes, differingBits);
        try {
            return checked(
                    "tidemark_diff_blocks",
                    library.tidemark_diff_blocks(
                            address(left),
                            address(right),
                            left.remaining(),
                            blockBytes,
                            address(differingBits),
                            differingBits.remaining()));
        } finally {
            Reference.reachabilityFence(left);
            Reference.reachabilityFence(right);
            Reference.reachabilityFence(differingBits);
        }
    }

    @Override
    public long zeroBlocks(ByteBuffer data, int blockBytes, ByteBuffer zeroBits) {
        BlockArguments.checkZero(data, blockBytes, zeroBits);
        try {
            return checked(
                    "tidemark_zero_blocks",
                    library.tidemark_zero_blocks(
                            address(data), data.remaining(), blockBytes, address(zeroBits), zeroBits.remaining()));
        } finally {
            Reference.reachabilityFence(data);
            Reference.reachabilityFence(zeroBits);
        }
    }

    @Override
    public long hashBlocks(ByteBuffer data, int blockBytes, HashAlgorithm algorithm, ByteBuffer digests) {
        BlockArguments.checkHash(data, blockBytes, algorithm, digests);
        try {
            return checked(
                    "tidemark_hash_blocks",
                    library.tidemark_hash_blocks(
                            address(data),
                            data.remaining(),
                            blockBytes,
                            algorithm.code(),
                            address(digests),
                            digests.remaining()));
        } finally {
            Reference.reachabilityFence(data);
            Reference.reachabilityFence(digests);
        }
    }

    @Override
    public FileScan.Counts scanFile(FileScan scan, ScanControl control) throws IOException {
        try (var arena = Arena.ofConfined()) {
            var struct = NativeStructs.scan(arena, scan);
            long result = library.tidemark_scan_file(struct.address(), address(control.memory()));
            if (result < 0) {
                throw new HostCallException("reading", scan.file(), (int) -result);
            }
            return NativeStructs.counts(struct, result);
        } finally {
            Reference.reachabilityFence(scan);
            Reference.reachabilityFence(control);
        }
    }

    @Override
    public long compareFiles(FileComparison comparison, ScanControl control) throws IOException {
        try (var arena = Arena.ofConfined()) {
            var struct = NativeStructs.comparison(arena, comparison);
            long result = library.tidemark_compare_files(struct.address(), address(control.memory()));
            if (result < 0) {
                throw new HostCallException("comparing with " + comparison.left(), comparison.right(), (int) -result);
            }
            return result;
        } finally {
            Reference.reachabilityFence(comparison);
            Reference.reachabilityFence(control);
        }
    }

    private static long checked(String function, long result) {
        if (result < 0) {
            // The argument checks rule out every errno the header documents: this is our bug.
            throw new AssertionError(function + " returned errno " + -result);
        }
        return result;
    }

    /** Address of the buffer's position; nothing is copied. */
    static long address(ByteBuffer direct) {
        return MemorySegment.ofBuffer(direct).address();
    }
}

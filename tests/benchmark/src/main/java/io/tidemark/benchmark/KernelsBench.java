package io.tidemark.benchmark;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.nativeblock.JavaBlockKernel;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Compare, zero test and hashes of 4 KiB blocks in memory: the native kernel beside the Java one. */
final class KernelsBench implements Bench {
    /** Larger than any second-level cache, small enough to stay in a shared third. */
    private static final int BUFFER_BYTES = 16 << 20;

    private static final int BLOCK_BYTES = 4096;

    /** Enough for the compiler to have done its work on the Java kernel. */
    private static final int WARM_UP_PASSES = 30;

    private static final int PASSES = 20;

    @Override
    public String name() {
        return "kernels";
    }

    @Override
    public String description() {
        return "compare, zero test, XXH3-128 and SHA-256 of 4 KiB blocks: native kernel beside the Java one";
    }

    /** One pass of a kernel over the buffers. */
    private interface Pass {
        void over(BlockKernel kernel);
    }

    @Override
    public List<Measure> run(BenchRun run) throws Exception {
        var reason = BlockKernels.unavailableReason();
        if (reason.isPresent()) {
            return List.of(Measure.skipped("all kernels", "java kernel", "no native library: " + reason.get()));
        }
        var bytes = new byte[BUFFER_BYTES];
        new Random(1).nextBytes(bytes);
        var left = ByteBuffer.allocateDirect(BUFFER_BYTES).put(bytes).flip();
        var right = ByteBuffer.allocateDirect(BUFFER_BYTES).put(bytes).flip();
        var zeros = ByteBuffer.allocateDirect(BUFFER_BYTES);
        var bits = ByteBuffer.allocateDirect(BUFFER_BYTES / BLOCK_BYTES / Byte.SIZE);
        var digests = ByteBuffer.allocateDirect(BUFFER_BYTES / BLOCK_BYTES * 32);
        var measures = new ArrayList<Measure>();
        measures.add(beside(run, "compare", 0.9, kernel -> kernel.diffBlocks(left, right, BLOCK_BYTES, bits)));
        measures.add(beside(run, "zero test", 0.9, kernel -> kernel.zeroBlocks(zeros, BLOCK_BYTES, bits)));
        measures.add(beside(
                run, "XXH3-128", 1, kernel -> kernel.hashBlocks(left, BLOCK_BYTES, HashAlgorithm.XXH3_128, digests)));
        measures.add(beside(
                run, "SHA-256", 0.9, kernel -> kernel.hashBlocks(left, BLOCK_BYTES, HashAlgorithm.SHA_256, digests)));
        return measures;
    }

    private static Measure beside(BenchRun run, String name, double goal, Pass pass) throws Exception {
        var ours = BlockKernels.best();
        var java = new JavaBlockKernel();
        for (int i = 0; i < WARM_UP_PASSES; i++) {
            pass.over(ours);
            pass.over(java);
        }
        var seconds = run.alternate(() -> repeat(pass, ours), () -> repeat(pass, java));
        double gibibytes = (double) BUFFER_BYTES * PASSES / (1L << 30);
        return Measure.rate(name, gibibytes / seconds[0], "GiB/s", "java kernel", gibibytes / seconds[1], goal);
    }

    private static void repeat(Pass pass, BlockKernel kernel) {
        for (int i = 0; i < PASSES; i++) {
            pass.over(kernel);
        }
    }
}

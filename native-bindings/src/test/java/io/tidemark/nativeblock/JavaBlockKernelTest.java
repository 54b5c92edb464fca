package io.tidemark.nativeblock;

final class JavaBlockKernelTest extends BlockKernelContract {
    @Override
    BlockKernel kernel() {
        return new JavaBlockKernel();
    }
}

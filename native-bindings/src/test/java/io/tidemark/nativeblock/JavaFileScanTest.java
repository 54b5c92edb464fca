package io.tidemark.nativeblock;

final class JavaFileScanTest extends FileScanContract {
    @Override
    BlockKernel kernel() {
        return new JavaBlockKernel();
    }
}

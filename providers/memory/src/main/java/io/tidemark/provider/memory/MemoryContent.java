package io.tidemark.provider.memory;

import java.nio.ByteBuffer;

/** The bytes of a volume or a snapshot at one instant, for checks; it costs next to nothing to take and to compare. */
public final class MemoryContent {
    private final BlockMap blocks;

    MemoryContent(BlockMap blocks) {
        this.blocks = blocks.copy();
    }

    public boolean sameAs(MemoryContent other) {
        var differs = new boolean[1];
        blocks.forEachDifference(other.blocks, _ -> differs[0] = true);
        return !differs[0];
    }

    public byte[] bytes() {
        byte[] bytes = new byte[Math.toIntExact(blocks.sizeBytes())];
        blocks.read(0, ByteBuffer.wrap(bytes));
        return bytes;
    }
}

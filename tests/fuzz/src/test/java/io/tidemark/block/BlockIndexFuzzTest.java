package io.tidemark.block;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A block-hash index, to its last leaf. */
class BlockIndexFuzzTest {
    private static final int FILE_BYTES_AT = 64;

    @FuzzTest
    void index(byte[] bytes) throws IOException {
        read(bytes);
        int header = BlockIndexFormat.HEADER.lengthBytes();
        if (bytes.length >= header) {
            byte[] repaired = bytes.clone();
            ByteBuffer.wrap(repaired).putLong(FILE_BYTES_AT, repaired.length);
            FuzzedFile.seal(repaired, header);
            read(repaired);
        }
    }

    private static void read(byte[] bytes) throws IOException {
        try {
            var index = BlockIndex.open(new FuzzedFile(bytes));
            long digests = 0;
            try (var leaves = index.leaves()) {
                for (var span = leaves.nextSpan(); span.hasRemaining(); span = leaves.nextSpan()) {
                    digests += span.remaining() / index.algorithm().digestBytes();
                }
            }
            assertThat(digests).isEqualTo(index.geometry().blockCount());
        } catch (BlockException e) {
            assertThat(e.error()).isNotNull();
        }
    }
}

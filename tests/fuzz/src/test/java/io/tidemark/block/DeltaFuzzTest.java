package io.tidemark.block;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tidemark.nativeblock.JavaBlockKernel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** A delta, to its trailer. */
class DeltaFuzzTest {
    private static final JavaBlockKernel KERNEL = new JavaBlockKernel();

    @FuzzTest
    void delta(byte[] bytes) throws IOException {
        read(bytes);
        int header = DeltaFormat.HEADER.lengthBytes();
        if (bytes.length >= header) {
            byte[] repaired = bytes.clone();
            var view = ByteBuffer.wrap(repaired);
            view.putLong(DeltaFormat.FILE_BYTES_OFFSET, repaired.length);
            FuzzedFile.seal(repaired, header);
            sealFirstRecord(repaired, header);
            read(repaired);
            read(streamed(repaired, header));
        }
    }

    /** With its header after the records too, and another that may contradict it before them. */
    private static byte[] streamed(byte[] repaired, int header) {
        var bytes = Arrays.copyOf(repaired, repaired.length + header);
        System.arraycopy(repaired, 0, bytes, repaired.length, header);
        ByteBuffer.wrap(bytes).putInt(8, DeltaFormat.STREAM_HEADER.version());
        FuzzedFile.seal(bytes, header);
        return bytes;
    }

    /** As one record to the end of the file: its fields decide how far it is looked at. */
    private static void sealFirstRecord(byte[] bytes, int from) {
        if (bytes.length - from >= DeltaFormat.RECORD_HEADER_BYTES) {
            var record = ByteBuffer.wrap(bytes, from, bytes.length - from).slice();
            record.putInt(DeltaFormat.RECORD_CRC_OFFSET, DeltaFormat.recordCrc(record));
        }
    }

    private static void read(byte[] bytes) throws IOException {
        try (var reader = DeltaReader.open(new FuzzedFile(bytes), KERNEL)) {
            long blocks = 0;
            for (var record = reader.next(); record.isPresent(); record = reader.next()) {
                for (var extent : record.get().extents()) {
                    blocks += extent.blockCount();
                    assertThat(extent.endBlock())
                            .isLessThanOrEqualTo(reader.header().result().blockCount());
                }
            }
            assertThat(blocks).isEqualTo(reader.dataBlocks() + reader.zeroBlocks());
        } catch (BlockException e) {
            assertThat(e.error()).isNotNull();
        }
    }
}

package io.tidemark.replication.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tidemark.replication.ReplicationException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;

/** An ingest log: its header, then records until the first that is not whole. */
class IngestLogFuzzTest {
    private static final int HEADER_CHECKSUM_AT = 16;
    private static final int RECORD_CHECKSUM_AT = 12;

    @FuzzTest
    void log(byte[] bytes) {
        read(bytes);
        read(repaired(bytes));
    }

    private static byte[] repaired(byte[] bytes) {
        byte[] repaired = bytes.clone();
        if (bytes.length < IngestLogFormat.HEADER_BYTES) {
            return repaired;
        }
        seal(repaired, 0, IngestLogFormat.HEADER_BYTES, HEADER_CHECKSUM_AT);
        int at = IngestLogFormat.HEADER_BYTES;
        while (at + IngestLogFormat.RECORD_HEADER_BYTES <= bytes.length) {
            int length = ByteBuffer.wrap(bytes).getInt(at + 8);
            int end = at + IngestLogFormat.RECORD_HEADER_BYTES + Math.max(0, length);
            if (end < at || end > bytes.length) {
                break;
            }
            seal(repaired, at, end, RECORD_CHECKSUM_AT);
            at = end;
        }
        return repaired;
    }

    private static void seal(byte[] bytes, int from, int to, int checksumAt) {
        var view = ByteBuffer.wrap(bytes);
        view.putInt(from + checksumAt, 0);
        var crc = new CRC32C();
        crc.update(bytes, from, to - from);
        view.putInt(from + checksumAt, (int) crc.getValue());
    }

    private static void read(byte[] bytes) {
        try {
            var header = IngestLogFormat.header(
                    ByteBuffer.wrap(Arrays.copyOf(bytes, Math.min(bytes.length, IngestLogFormat.HEADER_BYTES))));
            assertThat(IngestLogFormat.header(IngestLogFormat.encode(header))).isEqualTo(header);
        } catch (ReplicationException e) {
            assertThat(e.error().message()).isNotEmpty();
        }
        int at = Math.min(bytes.length, IngestLogFormat.HEADER_BYTES);
        while (at + IngestLogFormat.RECORD_HEADER_BYTES <= bytes.length) {
            var head = IngestLogFormat.entryHeader(ByteBuffer.wrap(bytes, at, IngestLogFormat.RECORD_HEADER_BYTES));
            int from = at + IngestLogFormat.RECORD_HEADER_BYTES;
            if (head.isEmpty() || head.get().lengthBytes() > bytes.length - from) {
                return;
            }
            var payload = ByteBuffer.wrap(bytes, from, head.get().lengthBytes()).slice();
            var entry = IngestLogFormat.entry(head.get(), payload);
            if (entry.isEmpty()) {
                return;
            }
            writtenAgain(entry.get());
            at = from + head.get().lengthBytes();
        }
    }

    private static void writtenAgain(IngestLogFormat.Entry entry) {
        boolean metadata = entry instanceof IngestLogFormat.Entry.Metadata;
        var record = ByteBuffer.allocate(IngestLogFormat.largestBytes(metadata));
        IngestLogFormat.encode(entry, record);
        var head = IngestLogFormat.entryHeader(record).orElseThrow();

        assertThat(IngestLogFormat.entry(head, record.slice())).contains(entry);
    }
}

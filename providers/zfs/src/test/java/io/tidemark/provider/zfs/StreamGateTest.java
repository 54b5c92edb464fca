package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.zfs.ZfsRecord.Beginning;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes on to ZFS of a stream, and what is kept back. */
class StreamGateTest {
    private static final int RECORD_BYTES = StreamBytes.RECORD_BYTES;

    private final ByteArrayOutputStream through = new ByteArrayOutputStream();
    private final List<Beginning> beginnings = new ArrayList<>();
    private final StreamGate gate = new StreamGate(new StreamGate.Way() {
        @Override
        public void begin(Beginning beginning) {
            assertThat(through.size()).isZero();
            beginnings.add(beginning);
        }

        @Override
        public void take(byte[] bytes, int offset, int length) {
            through.write(bytes, offset, length);
        }
    });

    private void write(byte[] bytes, int pieceBytes) throws Exception {
        for (int at = 0; at < bytes.length; at += pieceBytes) {
            gate.write(ByteBuffer.wrap(bytes, at, Math.min(pieceBytes, bytes.length - at)));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 311, 312, 313, 100_000, 1_000_000})
    void allGoesThroughButTheLastRecord(int pieceBytes) throws Exception {
        var stream = StreamBytes.upon(5, 6).write(200_000).write(8).ended();

        write(stream, pieceBytes);

        assertThat(through.toByteArray()).isEqualTo(Arrays.copyOf(stream, stream.length - RECORD_BYTES));
        assertThat(gate.last()).isEqualTo(Arrays.copyOfRange(stream, stream.length - RECORD_BYTES, stream.length));
        assertThat(beginnings)
                .containsExactly(new Beginning(0, Beginning.FILES, false, false, StreamBytes.CUT_AT_SECONDS, 6, 5));
    }

    @Test
    void streamOfAHostWithTheOtherByteOrderGoesThrough() throws Exception {
        write(StreamBytes.ofOtherByteOrder(6).write(1_000).ended(), 500);

        assertThat(beginnings.getFirst().toGuid()).isEqualTo(6);
        assertThat(gate.last()).hasSize(RECORD_BYTES);
    }

    @Test
    void rawStreamsAndThoseUponAnotherVolumesSnapshotAreToldApart() throws Exception {
        write(StreamBytes.raw(6).ended(), 100);
        assertThat(beginnings.getFirst().raw()).isTrue();
        assertThat(beginnings.getFirst().onOther()).isFalse();

        var other = new ArrayList<Beginning>();
        new StreamGate(new StreamGate.Way() {
                    @Override
                    public void begin(Beginning beginning) {
                        other.add(beginning);
                    }

                    @Override
                    public void take(byte[] bytes, int offset, int length) {}
                })
                .write(ByteBuffer.wrap(StreamBytes.uponOther(5, 6).ended()));
        assertThat(other.getFirst().onOther()).isTrue();
        assertThat(other.getFirst().raw()).isFalse();
    }

    @Test
    void streamThatEndsBeforeItsLastRecordHasNone() throws Exception {
        var stream = StreamBytes.whole(6).write(1_000).ended();
        for (int length : new int[] {0, 100, RECORD_BYTES, 400, stream.length - RECORD_BYTES, stream.length - 1}) {
            var gateOfPart = new StreamGate(nowhere());
            gateOfPart.write(ByteBuffer.wrap(stream, 0, length));

            assertThatThrownBy(gateOfPart::last)
                    .as("%d bytes", length)
                    .isInstanceOf(EOFException.class)
                    .hasMessageContaining("after %d bytes", length);
        }
    }

    private static StreamGate.Way nowhere() {
        return new StreamGate.Way() {
            @Override
            public void begin(Beginning beginning) {}

            @Override
            public void take(byte[] bytes, int offset, int length) {}
        };
    }

    @Test
    void whatComesBehindTheEndIsRefusedAndNothingOfItGoesThrough() throws Exception {
        var stream = StreamBytes.whole(6).write(1_000).ended();
        write(stream, 100);
        int before = through.size();

        assertThatThrownBy(() -> gate.write(ByteBuffer.wrap(new byte[1])))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("behind its end");

        assertThat(through.size()).isEqualTo(before);
    }

    @Test
    void endOfAnotherSnapshotIsNoEnd() throws Exception {
        write(StreamBytes.whole(6).endedAs(7), 100);

        assertThatThrownBy(gate::last).hasMessageContaining("guid 6").hasMessageContaining("guid 7");
    }

    @Test
    void whatIsNoStreamDoesNotBegin() {
        assertThatThrownBy(() -> write(new byte[RECORD_BYTES], 100)).hasMessageContaining("not the beginning");

        assertThat(beginnings).isEmpty();
        assertThat(through.size()).isZero();
    }

    @Test
    void unknownRecordsSecondBeginningsAndImpossiblePayloadsAreRefused() {
        for (var stream : List.of(
                StreamBytes.whole(6).record(11, 0, _ -> {}),
                StreamBytes.whole(6).record(0, 0, record -> record.putLong(8, 0x2F5bacbacL)),
                StreamBytes.whole(6).record(3, 0, record -> record.putLong(32, -1)),
                StreamBytes.whole(6).record(3, 0, record -> record.putLong(32, (16 << 20) + 1)))) {
            var fresh = new StreamGate(nowhere());

            assertThatThrownBy(() -> fresh.write(ByteBuffer.wrap(stream.ended())))
                    .isInstanceOf(IOException.class);
        }
    }
}

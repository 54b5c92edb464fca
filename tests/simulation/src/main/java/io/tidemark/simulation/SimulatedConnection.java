package io.tidemark.simulation;

import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.Compression;
import io.tidemark.replication.protocol.FrameCodec;
import io.tidemark.replication.protocol.FrameHeader;
import io.tidemark.replication.protocol.Message;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.random.RandomGenerator;

/**
 * One connection: frames arrive late, in order, or not at all once it is cut. Each side learns of a cut when the world
 * lets it, so that an old connection can still deliver while a new one is up.
 */
final class SimulatedConnection {
    private static final Compression NONE = new Compression() {
        @Override
        public boolean compress(ByteBuffer raw, ByteBuffer target) {
            return false;
        }

        @Override
        public void decompress(ByteBuffer compressed, ByteBuffer target) throws ReplicationException {
            throw new ReplicationException(new ReplicationError.CorruptFrame("nothing is compressed here"));
        }
    };

    /** One direction. */
    static final class Way {
        private final FrameCodec sender = new FrameCodec(NONE);
        private final FrameCodec receiver = new FrameCodec(NONE);
        private final ArrayDeque<byte[]> frames = new ArrayDeque<>();
        private int mostFrames;

        void send(Message message) {
            var frame = sender.encode(message);
            byte[] bytes = new byte[frame.remaining()];
            frame.get(bytes);
            frames.add(bytes);
            mostFrames = Math.max(mostFrames, frames.size());
        }

        boolean waiting() {
            return !frames.isEmpty();
        }

        int mostFrames() {
            return mostFrames;
        }

        /** @param damage whether a bit of it flips on the way */
        Message receive(RandomGenerator random, boolean damage) throws ReplicationException {
            byte[] bytes = frames.remove();
            if (damage) {
                bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(Byte.SIZE));
            }
            var frame = ByteBuffer.wrap(bytes);
            var header = FrameHeader.parse(frame);
            if (header.lengthBytes() != frame.remaining()) {
                throw new ReplicationException(new ReplicationError.CorruptFrame("frame is cut short"));
            }
            return receiver.decode(header, frame.slice());
        }
    }

    final Way toTarget = new Way();
    final Way toSource = new Way();
    boolean cut;

    /** Nothing that is under way arrives any more. */
    void cut() {
        cut = true;
        toTarget.frames.clear();
        toSource.frames.clear();
    }
}

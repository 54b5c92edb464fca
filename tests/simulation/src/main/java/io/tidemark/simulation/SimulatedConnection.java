package io.tidemark.simulation;

import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.Compression;
import io.tidemark.replication.protocol.FrameCodec;
import io.tidemark.replication.protocol.FrameHeader;
import io.tidemark.replication.protocol.Message;
import io.tidemark.replication.protocol.ProtocolVersion;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One connection. Bytes arrive in order and late, as TCP has it; what a broken box in between, a bug or an attacker
 * could do to the stream is done to whole frames, and the receiver's codec must see it. Once it is cut, or one side has
 * closed it, each side learns so in its own time, behind what was under way.
 */
final class SimulatedConnection {
    private static final int LATENCY_MILLIS_MAXIMUM = 30;
    /** Sides that have nothing to say show that they live. */
    private static final int ALIVE_MILLIS = 1_000;

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

    /** Takes what arrives at one end. */
    interface End {
        void received(SimulatedConnection connection, Message message) throws ReplicationException;

        void damaged(SimulatedConnection connection, ReplicationError error) throws ReplicationException;

        void lost(SimulatedConnection connection, ReplicationError error) throws ReplicationException;
    }

    /** One direction. */
    final class Way {
        private final FrameCodec sender;
        private final FrameCodec receiver;
        private final End end;
        private long lastArrivalMillis;
        private byte @Nullable [] heldBack;
        boolean silent;
        boolean closed;
        private boolean over;
        int inFlightFrames;
        long inFlightBytes;

        private Way(FrameCodec sender, FrameCodec receiver, End end) {
            this.sender = sender;
            this.receiver = receiver;
            this.end = end;
        }

        void send(Message message) {
            if (closed) {
                return;
            }
            var frame = sender.encode(message);
            byte[] bytes = new byte[frame.remaining()];
            frame.get(bytes);
            world.checks.sent(SimulatedConnection.this, message, bytes);
            var hazards = world.hazards();
            var random = world.random;
            if (Hazards.strikes(hazards.damage(), random)) {
                bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(Byte.SIZE));
            }
            byte[] late = heldBack;
            heldBack = null;
            if (Hazards.strikes(hazards.loss(), random)) {
                showLife();
            } else if (late == null && Hazards.strikes(hazards.reordering(), random)) {
                heldBack = bytes;
                showLife();
            } else {
                put(bytes);
                if (Hazards.strikes(hazards.doubling(), random)) {
                    put(bytes);
                }
            }
            if (late != null) {
                put(late);
            }
        }

        /** What comes next shows the receiver that something is missing. */
        private void showLife() {
            world.schedule.in(ALIVE_MILLIS, () -> send(new Message.Alive("", 0, 0)));
        }

        private void put(byte[] bytes) {
            if (silent) {
                return;
            }
            inFlightFrames++;
            inFlightBytes += bytes.length;
            inOrder(() -> {
                inFlightFrames--;
                inFlightBytes -= bytes.length;
                if (!over) {
                    deliver(bytes);
                }
            });
        }

        private void inOrder(Schedule.Event event) {
            long now = world.schedule.nowMillis();
            long arrival = Math.max(lastArrivalMillis, now + world.random.nextInt(LATENCY_MILLIS_MAXIMUM));
            lastArrivalMillis = arrival;
            world.schedule.in(arrival - now, event);
        }

        private void deliver(byte[] bytes) throws ReplicationException {
            try {
                var frame = ByteBuffer.wrap(bytes);
                var header = FrameHeader.parse(frame);
                if (header.lengthBytes() != frame.remaining()) {
                    throw new ReplicationException(new ReplicationError.CorruptFrame("frame is cut short"));
                }
                var message = receiver.decode(header, frame.slice());
                if (!(message instanceof Message.Alive)) {
                    end.received(SimulatedConnection.this, message);
                }
            } catch (ReplicationException e) {
                over = true;
                end.damaged(SimulatedConnection.this, e.error());
            }
        }

        /** The receiver learns that nothing more comes. */
        void end(String reason) throws ReplicationException {
            if (!over) {
                over = true;
                end.lost(SimulatedConnection.this, new ReplicationError.ConnectionLost("peer", reason));
            }
        }

        /** Nobody is there any more to receive. */
        void drop() {
            over = true;
        }

        /** The sender says nothing more; the receiver learns it behind what is under way. */
        void close() {
            if (!closed) {
                closed = true;
                if (!silent) {
                    inOrder(() -> end("peer closed it"));
                }
            }
        }
    }

    boolean over() {
        return toTarget.over && toSource.over;
    }

    private final World world;
    final ProtocolVersion.Range sourceVersions;
    final ProtocolVersion.Range targetVersions;
    final Way toTarget;
    final Way toSource;

    final SimulatedHost from;

    SimulatedConnection(World world, SimulatedHost from, SimulatedHost to) {
        this.world = world;
        this.from = from;
        this.sourceVersions = from.versions;
        this.targetVersions = to.versions;
        var sourceCodec = new FrameCodec(NONE, from.versions);
        var targetCodec = new FrameCodec(NONE, to.versions);
        toTarget = new Way(sourceCodec, targetCodec, to.target);
        toSource = new Way(targetCodec, sourceCodec, from.source);
    }
}

package io.tidemark.benchmark;

import io.tidemark.replication.port.Compression;
import io.tidemark.replication.protocol.BlockExtent;
import io.tidemark.replication.protocol.FrameCodec;
import io.tidemark.replication.protocol.Message;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What an incremental cycle would send beside the 4 KiB blocks that truly changed. */
final class ChangedBytesBench implements Bench {
    private static final int CHANGED_BLOCKS = 1_000;
    private static final int BLOCK_BYTES = 4096;
    private static final long VOLUME_BYTES = 1L << 30;
    private static final long FILE_SYSTEM_BYTES = 4L << 30;
    private static final double BLOCKS_GOAL = 1.02;
    private static final double FRAMED_GOAL = 1.03;
    private static final String NAME = "blocks found";
    private static final String PEER = "blocks truly changed";

    @Override
    public String name() {
        return "changed-bytes";
    }

    @Override
    public String description() {
        return "blocks and frame bytes of an incremental cycle beside the blocks that truly changed";
    }

    @Override
    public List<Measure> run(BenchRun run) throws Exception {
        try {
            run.needs(2 * VOLUME_BYTES);
        } catch (Skipped e) {
            return List.of(Measure.skipped(NAME, PEER, e.reason()));
        }
        try (var btrfs = LoopBtrfs.mount(run, FILE_SYSTEM_BYTES)) {
            return measures(btrfs.mountPoint());
        } catch (Skipped e) {
            System.err.println("on the scratch file system instead of Btrfs: " + e.reason());
            return measures(run.scratch());
        }
    }

    private static List<Measure> measures(Path folder) throws Exception {
        try (var volumes = ImageVolumes.in(folder)) {
            var offsets = BenchRun.blockOffsets(CHANGED_BLOCKS, VOLUME_BYTES, 3);
            var volume = volumes.filled("volume", VOLUME_BYTES);
            var before = volumes.cut(volume, "rp-1");
            volumes.change(volume, offsets, 5);
            var after = volumes.cut(volume, "rp-2");
            var sent = new Sent();
            volumes.changes(before, after, changed -> {
                var data = ByteBuffer.allocate(changed.data().remaining())
                        .put(changed.data().duplicate())
                        .flip();
                sent.add(new BlockExtent(changed.offsetBytes(), (int) changed.lengthBytes(), changed.zero()), data);
            });
            sent.flush();
            double truly = (double) offsets.length * BLOCK_BYTES;
            String source = " (" + volumes.source(before, after) + ")";
            return List.of(
                    Measure.cost(NAME + source, (double) sent.blockBytes, "B", PEER, truly, BLOCKS_GOAL),
                    Measure.cost(
                            "bytes of their frames" + source, (double) sent.frameBytes, "B", PEER, truly, FRAMED_GOAL));
        }
    }

    /** Packs runs into frames as a source does, without compression, which incompressible blocks would not take. */
    private static final class Sent {
        private final FrameCodec codec = new FrameCodec(new NoCompression());
        private final List<BlockExtent> extents = new ArrayList<>();
        private final ByteBuffer data = ByteBuffer.allocate(Message.Blocks.DATA_BYTES_MAXIMUM);
        private long blockBytes;
        private long frameBytes;

        void add(BlockExtent extent, ByteBuffer bytes) {
            if (extents.size() == Message.Blocks.EXTENTS_MAXIMUM || data.remaining() < bytes.remaining()) {
                flush();
            }
            blockBytes += extent.lengthBytes();
            extents.add(extent);
            data.put(bytes);
        }

        void flush() {
            if (!extents.isEmpty()) {
                frameBytes +=
                        codec.encode(new Message.Blocks(extents, data.flip())).remaining();
                extents.clear();
                data.clear();
            }
        }
    }

    private static final class NoCompression implements Compression {
        @Override
        public boolean compress(ByteBuffer raw, ByteBuffer target) {
            return false;
        }

        @Override
        public void decompress(ByteBuffer compressed, ByteBuffer target) {
            throw new IllegalStateException("nothing was compressed");
        }
    }
}

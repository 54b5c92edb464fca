package io.tidemark.agent;

import io.tidemark.block.ChecksumTree;
import io.tidemark.block.DigestLevels;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.ProgressListener;
import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.protocol.Message;
import java.nio.ByteBuffer;

/** A peer's checksum tree, asked for node by node. */
final class PeerTree implements DigestLevels<ReplicationException> {
    private final PeerConnection connection;
    private final PeerSender sender;
    private final LinkId link;
    private final ProgressListener listener;
    private final long blockCount;

    /**
     * @param connection received from by nobody else meanwhile
     * @param listener asked at each of the peer's signs of life, for the peer may read long for an answer
     */
    PeerTree(PeerConnection connection, PeerSender sender, LinkId link, ProgressListener listener, long blockCount) {
        this.connection = connection;
        this.sender = sender;
        this.link = link;
        this.listener = listener;
        this.blockCount = blockCount;
    }

    @Override
    public HashAlgorithm algorithm() {
        return HashAlgorithm.XXH3_128;
    }

    @Override
    public int levels() {
        return ChecksumTree.levels(blockCount);
    }

    @Override
    public long count(int level) {
        return ChecksumTree.count(blockCount, level);
    }

    @Override
    public ByteBuffer digests(int level, long from, int count) throws ReplicationException {
        sender.send(new Message.NodesWanted(level, from, count));
        var answer = PeerReplicator.await(connection, Message.Nodes.class, listener, link);
        boolean asked = answer.level() == level
                && answer.firstNode() == from
                && answer.digests().remaining() == count * algorithm().digestBytes();
        if (!asked) {
            throw new ReplicationException(new ReplicationError.CorruptFrame(
                    "nodes %d of level %d were not asked for".formatted(answer.firstNode(), answer.level())));
        }
        // Copied: the comparison goes deeper before it is done with these.
        return ByteBuffer.allocate(answer.digests().remaining())
                .put(answer.digests().duplicate())
                .flip();
    }
}

package io.tidemark.provider.zfs;

import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.CommandStream;
import io.tidemark.provider.devices.Vanishing;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotStreams.Outgoing;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.function.Consumer;

/** What {@code zfs send} says, at the pace of whoever reads it. The end is one only if the program says so, too. */
final class SentStream implements Outgoing {
    private final SnapshotId snapshot;
    private final Set<SnapshotId> used;
    private final CommandStream program;
    private final Vanishing.Look look;
    private final Consumer<SentStream> closed;
    private final byte[] chunk = new byte[StreamGate.CHUNK_BYTES];
    private boolean ended;

    /**
     * @param used which snapshots are not to be deleted meanwhile
     * @param look whether the snapshot is still there
     */
    SentStream(
            SnapshotId snapshot,
            Set<SnapshotId> used,
            CommandStream program,
            Vanishing.Look look,
            Consumer<SentStream> closed) {
        this.snapshot = snapshot;
        this.used = Set.copyOf(used);
        this.program = program;
        this.look = look;
        this.closed = closed;
    }

    boolean uses(SnapshotId other) {
        return used.contains(other);
    }

    @Override
    public int read(ByteBuffer into) throws ProviderException {
        if (!into.hasRemaining()) {
            throw new IllegalArgumentException("no room to read into");
        }
        if (ended) {
            return -1;
        }
        int length = length(into.remaining());
        if (length < 0) {
            Vanishing.unlessGone(this::end, look, new ProviderError.SnapshotNotFound(snapshot));
            return -1;
        }
        into.put(chunk, 0, length);
        return length;
    }

    private int length(int maximum) throws ProviderException {
        try {
            return program.read(chunk, 0, Math.min(maximum, chunk.length));
        } catch (IOException e) {
            throw new ProviderException(
                    new ProviderError.Unexpected("reading what zfs send says of " + snapshot, e.toString()), e);
        }
    }

    private boolean end() throws ProviderException {
        try {
            var outcome = program.finish();
            if (!outcome.succeeded()) {
                throw ZfsErrors.of("snapshot " + snapshot, "zfs send", outcome);
            }
            ended = true;
            return true;
        } catch (CommandException e) {
            throw ZfsErrors.of("zfs send", e);
        }
    }

    @Override
    public void close() {
        program.close();
        closed.accept(this);
    }
}

package io.tidemark.provider.btrfs;

import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.CommandStream;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotStreams.Outgoing;
import java.io.IOException;
import java.nio.ByteBuffer;

/** What {@code btrfs send} says, whose end counts only where the program says that it is one. */
final class Sending implements Outgoing {
    /** A pipe holds no more. */
    private static final int READ_BYTES = 1 << 16;

    private final CommandStream program;
    private final Runnable closed;
    private final byte[] buffer = new byte[READ_BYTES];
    private boolean ended;

    /** @param closed called once or more often */
    Sending(CommandStream program, Runnable closed) {
        this.program = program;
        this.closed = closed;
    }

    @Override
    public int read(ByteBuffer into) throws ProviderException {
        if (!into.hasRemaining()) {
            throw new IllegalArgumentException("nothing fits");
        }
        if (ended) {
            return -1;
        }
        try {
            int count = program.read(buffer, 0, Math.min(buffer.length, into.remaining()));
            if (count >= 0) {
                into.put(buffer, 0, count);
                return count;
            }
        } catch (IOException e) {
            // It was killed while we read; its end says more.
            throw failed(String.valueOf(e.getMessage()));
        }
        end();
        return -1;
    }

    private void end() throws ProviderException {
        try {
            var outcome = program.finish();
            if (!outcome.succeeded()) {
                throw failed(outcome.evidence());
            }
            ended = true;
        } catch (CommandException e) {
            throw BtrfsErrors.of("btrfs send", e);
        }
    }

    private static ProviderException failed(String evidence) {
        return new ProviderException(new ProviderError.Unexpected("btrfs send", evidence));
    }

    @Override
    public void close() {
        program.close();
        closed.run();
    }
}

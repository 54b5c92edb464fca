package io.tidemark.cli.block;

import io.tidemark.block.ByteWriter;
import java.io.IOException;

/** Where a command writes what it makes. Closed before it was published, nobody takes it for whole. */
interface Output extends ByteWriter, AutoCloseable {
    void publish() throws IOException, CommandFailure;

    @Override
    void close() throws IOException;
}

package io.tidemark.cli.block;

import io.tidemark.cli.Terminal;
import java.io.InputStream;

/** What comes through a pipe. */
final class StandardInput {
    static final String NAME = "standard input";

    private StandardInput() {}

    static InputStream open() throws CommandFailure {
        if (Terminal.STANDARD_INPUT.present()) {
            throw new CommandFailure(
                    BlockExit.USAGE,
                    NAME + " is a terminal, where nobody types an image or a delta",
                    "write the command that makes it and | before this one, or name a file instead of -");
        }
        return System.in;
    }
}

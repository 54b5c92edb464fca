package io.tidemark.cli.block;

/** Exit codes of {@code tidemark block}; part of its interface. */
final class BlockExit {
    static final int OK = 0;
    static final int DIFFERS = 1;
    static final int USAGE = 2;
    static final int BAD_INPUT = 3;
    static final int INPUT_OUTPUT = 4;

    /** For {@code --help}. */
    static final String OK_MEANING = "0:done; with verify: the two are equal";

    static final String DIFFERS_MEANING = "1:verify found a difference";
    static final String USAGE_MEANING = "2:the command line is wrong";
    static final String BAD_INPUT_MEANING =
            "3:a file is damaged, of the wrong kind, or not the right one; nothing was changed";
    static final String INPUT_OUTPUT_MEANING = "4:a file could not be read or written";

    private BlockExit() {}
}

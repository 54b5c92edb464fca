package io.tidemark.nativeblock;

/** How a file's bytes come to the kernel. Codes are those of {@code tidemark_block.h}. */
public enum ReadBy {
    /** From the page cache without a copy: {@code mmap}, safe against a file that shrinks. The Java kernel copies. */
    MAPPED(1, "page-cache"),
    /** From the page cache through a buffer. */
    BUFFERED(2, "page-cache-copy"),
    /** Past the page cache by {@code io_uring}; by threads where the system refuses that. */
    DIRECT(3, "direct-io-uring"),
    /** Past the page cache by many threads. */
    DIRECT_PREAD(4, "direct-pread");

    private final int code;
    private final String text;

    ReadBy(int code, String text) {
        this.code = code;
        this.text = text;
    }

    int code() {
        return code;
    }

    /** For results and logs. */
    public String text() {
        return text;
    }

    static ReadBy ofCode(int code) {
        for (var way : values()) {
            if (way.code == code) {
                return way;
            }
        }
        throw new AssertionError("unknown way of reading " + code);
    }
}

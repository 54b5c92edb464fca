package io.tidemark.export.protocol;

/** Sizes that a client is told, and held to. */
public final class NbdLimits {
    /** Longest {@code READ} and {@code WRITE}: what clients take for granted where nothing is told (doc/proto.md, block sizes). */
    public static final int PAYLOAD_BYTES_MAXIMUM = 32 << 20;

    /** Smaller requests are served too, more slowly on overlays, whose blocks have this size. */
    public static final int BLOCK_BYTES_PREFERRED = 4 << 10;

    /** Any byte can be read and written: an image need not be a multiple of a sector. */
    public static final int BLOCK_BYTES_MINIMUM = 1;

    /** Longest option of a handshake; names have at most 4096 bytes (doc/proto.md, string lengths). */
    public static final int OPTION_BYTES_MAXIMUM = 32 << 10;

    static final int NAME_BYTES_MAXIMUM = 4_096;

    /** Options of one handshake: a client needs about ten. */
    public static final int OPTIONS_MAXIMUM = 256;

    /** Extents of one answer to {@code BLOCK_STATUS}: 8 KiB, or 16 KiB with extended headers. */
    public static final int EXTENTS_MAXIMUM = 1_024;

    /** Exports at once: a list of them fits into one answer. */
    public static final int EXPORTS_MAXIMUM = 256;

    private NbdLimits() {}
}

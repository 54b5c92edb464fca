package io.tidemark.export.protocol;

/** Numbers of the NBD protocol ({@code doc/proto.md} of the project NetworkBlockDevice/nbd), big-endian all of them. */
final class Nbd {
    static final long SERVER_MAGIC = 0x4e42444d41474943L;
    static final long OPTION_MAGIC = 0x49484156454f5054L;
    static final long OPTION_REPLY_MAGIC = 0x0003e889045565a9L;

    static final int REQUEST_MAGIC = 0x25609513;
    static final int EXTENDED_REQUEST_MAGIC = 0x21e41c71;
    static final int SIMPLE_REPLY_MAGIC = 0x67446698;
    static final int STRUCTURED_REPLY_MAGIC = 0x668e33ef;
    static final int EXTENDED_REPLY_MAGIC = 0x6e8a278c;

    static final int FIXED_NEWSTYLE = 1;
    static final int NO_ZEROES = 1 << 1;

    static final int OPTION_EXPORT_NAME = 1;
    static final int OPTION_ABORT = 2;
    static final int OPTION_LIST = 3;
    static final int OPTION_STARTTLS = 5;
    static final int OPTION_INFO = 6;
    static final int OPTION_GO = 7;
    static final int OPTION_STRUCTURED_REPLY = 8;
    static final int OPTION_LIST_META_CONTEXT = 9;
    static final int OPTION_SET_META_CONTEXT = 10;
    static final int OPTION_EXTENDED_HEADERS = 11;

    static final int REPLY_ACK = 1;
    static final int REPLY_SERVER = 2;
    static final int REPLY_INFO = 3;
    static final int REPLY_META_CONTEXT = 4;
    static final int REPLY_UNSUPPORTED = 1 << 31 | 1;
    static final int REPLY_POLICY = 1 << 31 | 2;
    static final int REPLY_INVALID = 1 << 31 | 3;
    static final int REPLY_TLS_REQUIRED = 1 << 31 | 5;
    static final int REPLY_UNKNOWN = 1 << 31 | 6;
    static final int REPLY_EXTENDED_HEADERS_REQUIRED = 1 << 31 | 10;

    static final int INFO_EXPORT = 0;
    static final int INFO_NAME = 1;
    static final int INFO_DESCRIPTION = 2;
    static final int INFO_BLOCK_SIZE = 3;

    static final int FLAG_HAS_FLAGS = 1;
    static final int FLAG_READ_ONLY = 1 << 1;
    static final int FLAG_SEND_FLUSH = 1 << 2;
    static final int FLAG_SEND_FUA = 1 << 3;
    static final int FLAG_SEND_TRIM = 1 << 5;
    static final int FLAG_SEND_WRITE_ZEROES = 1 << 6;
    static final int FLAG_SEND_DF = 1 << 7;
    static final int FLAG_MULTI_CONN = 1 << 8;
    static final int FLAG_SEND_CACHE = 1 << 10;

    static final int COMMAND_FUA = 1;
    static final int COMMAND_NO_HOLE = 1 << 1;
    static final int COMMAND_DF = 1 << 2;
    static final int COMMAND_REQ_ONE = 1 << 3;
    static final int COMMAND_PAYLOAD_LENGTH = 1 << 5;

    static final int CHUNK_DONE = 1;
    static final int CHUNK_NONE = 0;
    static final int CHUNK_OFFSET_DATA = 1;
    static final int CHUNK_BLOCK_STATUS = 5;
    static final int CHUNK_BLOCK_STATUS_EXTENDED = 6;
    static final int CHUNK_ERROR = 1 << 15 | 1;

    private Nbd() {}
}

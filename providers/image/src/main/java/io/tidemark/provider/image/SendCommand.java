package io.tidemark.provider.image;

import java.io.IOException;

/** Commands of a Btrfs stream, by what they mean for the bytes of one file ({@code enum btrfs_send_cmd}). */
enum SendCommand {
    WRITE,
    CLONE,
    TRUNCATE,
    UPDATE_EXTENT,
    FALLOCATE,
    ENCODED_WRITE,
    END,
    /** A file, link or folder comes, goes or changes its name. */
    MAKES_OR_MOVES,
    /** Owner, mode, times, attributes, the stream's own beginning. */
    WITHOUT_BYTES;

    private static final int MKFILE = 3;
    private static final int RMDIR = 12;

    /** @throws IOException for a command that a later kernel has added: it might change bytes */
    static SendCommand ofCode(int code) throws IOException {
        if (code >= MKFILE && code <= RMDIR) {
            return MAKES_OR_MOVES;
        }
        return switch (code) {
            case 15 -> WRITE;
            case 16 -> CLONE;
            case 17 -> TRUNCATE;
            case 21 -> END;
            case 22 -> UPDATE_EXTENT;
            case 23 -> FALLOCATE;
            case 25 -> ENCODED_WRITE;
            // SUBVOL, SNAPSHOT, SET_XATTR, REMOVE_XATTR, CHMOD, CHOWN, UTIMES, FILEATTR, ENABLE_VERITY
            case 1, 2, 13, 14, 18, 19, 20, 24, 26 -> WITHOUT_BYTES;
            default -> throw new IOException("btrfs stream holds the unknown command %d".formatted(code));
        };
    }
}

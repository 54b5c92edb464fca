package io.tidemark.nativeblock;

import java.io.IOException;
import java.nio.file.Path;

/** A system call that failed, with its errno: callers decide by number, never by text. */
public final class HostCallException extends IOException {
    private static final long serialVersionUID = 1L;

    public static final int EPERM = 1;
    public static final int ENOENT = 2;
    public static final int ENXIO = 6;
    public static final int EACCES = 13;
    public static final int EBUSY = 16;
    public static final int EEXIST = 17;
    public static final int EXDEV = 18;
    public static final int EINVAL = 22;
    public static final int ENOTTY = 25;
    public static final int ETXTBSY = 26;
    public static final int ENOSPC = 28;
    public static final int EROFS = 30;
    public static final int ENOTEMPTY = 39;
    public static final int ENODATA = 61;
    public static final int EAGAIN = 11;
    public static final int EOPNOTSUPP = 95;
    public static final int ESTALE = 116;
    public static final int EDQUOT = 122;
    public static final int ECANCELED = 125;

    private final int errno;

    public HostCallException(String call, Path path, int errno) {
        super("%s of %s failed with errno %d".formatted(call, path, errno));
        this.errno = errno;
    }

    public int errno() {
        return errno;
    }
}

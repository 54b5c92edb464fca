package io.tidemark.nativeblock;

import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import jnr.ffi.LastError;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Runtime;
import jnr.ffi.annotations.In;
import jnr.ffi.types.int32_t;
import jnr.ffi.types.uintptr_t;

/** What the kernel says of a volume's device, by calls of the C library. Safe for several threads. */
public final class ZvolCalls {
    /** {@code _IOR(0x12, 125, char[256])} of {@code include/sys/fs/zfs.h}, OpenZFS 2.1. */
    private static final long BLKZNAME = 0x8100_127DL;

    private static final int NAME_BYTES = 256;
    private static final int READ_ONLY = 0;
    /** Of a block device: refused where a mount, the device mapper or another such opener has it. */
    private static final int EXCLUSIVE = 0x80;

    private static final int CLOSE_ON_EXEC = 0x80000;

    private final Calls calls;
    private final Runtime runtime;

    /** The C library's functions, under their names; the variable argument is fixed here. */
    public interface Calls {
        @int32_t
        int open(@In byte[] path, @int32_t int flags);

        @int32_t
        int ioctl(@int32_t int file, long request, @uintptr_t long argument);

        @int32_t
        int close(@int32_t int file);
    }

    private ZvolCalls(Calls calls) {
        this.calls = calls;
        this.runtime = Runtime.getRuntime(calls);
    }

    public static ZvolCalls load() {
        return new ZvolCalls(LibraryLoader.create(Calls.class).failImmediately().load("c"));
    }

    /**
     * The volume or snapshot that a device shows, as it is called at this moment.
     *
     * @throws HostCallException ENOTTY for another kind of device
     */
    public String name(Path device) throws HostCallException {
        int file = open(device, READ_ONLY);
        try (var arena = Arena.ofConfined()) {
            var name = arena.allocate(NAME_BYTES);
            if (calls.ioctl(file, BLKZNAME, name.address()) < 0) {
                throw failed("BLKZNAME", device);
            }
            return name.getString(0, StandardCharsets.UTF_8);
        } finally {
            calls.close(file);
        }
    }

    /** Whether nobody has the device to itself: no mount of any namespace, no device mapper, no other target. */
    public boolean unclaimed(Path device) throws HostCallException {
        try {
            calls.close(open(device, READ_ONLY | EXCLUSIVE));
            return true;
        } catch (HostCallException e) {
            if (e.errno() == HostCallException.EBUSY) {
                return false;
            }
            throw e;
        }
    }

    private int open(Path device, int flags) throws HostCallException {
        int file = calls.open(NativePath.bytes(device), flags | CLOSE_ON_EXEC);
        if (file < 0) {
            throw failed("open", device);
        }
        return file;
    }

    private HostCallException failed(String call, Path device) {
        return new HostCallException(call, device, LastError.getLastError(runtime));
    }
}

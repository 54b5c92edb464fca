package io.tidemark.nativeblock;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jnr.ffi.LibraryLoader;

/**
 * Snapshots by ZFS's own library, in this process: no program starts, so it may run while file systems are frozen.
 * Safe for several threads.
 *
 * <p>Source: {@code lib/libzfs_core/libzfs_core.c} of OpenZFS 2.1. The libraries belong to the installed ZFS and are
 * no dependency of this build.
 */
public final class ZfsCore {
    /** Of OpenZFS from 2.0 on. */
    private static final String CORE = "libzfs_core.so.3";

    private static final String PAIRS = "libnvpair.so.3";

    /** {@code NV_UNIQUE_NAME}: a name that is added twice is there once. */
    private static final int UNIQUE_NAMES = 1;

    /** In Lua; its argument is a table whose keys are names. */
    private static final String REFERENCED = "local names = ... local sizes = {} "
            + "for name in pairs(names) do sizes[name] = zfs.get_prop(name, 'referenced') end "
            + "return sizes";

    /** As zfs-program(8) has them by default; a name takes some dozens, and some hundred bytes. */
    private static final long INSTRUCTIONS_MAXIMUM = 10_000_000;

    private static final long MEMORY_BYTES_MAXIMUM = 10 << 20;

    private final ZfsLibrary library;

    private ZfsCore(ZfsLibrary library) {
        this.library = library;
    }

    /**
     * @throws UnsatisfiedLinkError where the libraries are not installed
     * @throws HostCallException where {@code /dev/zfs} cannot be opened: no module, or no right
     */
    public static ZfsCore load() throws HostCallException {
        var library = LibraryLoader.create(ZfsLibrary.class)
                .failImmediately()
                .library(CORE)
                .library(PAIRS)
                .load();
        int error = library.libzfs_core_init();
        if (error != 0) {
            throw new HostCallException("libzfs_core_init", Path.of("/dev/zfs"), error);
        }
        return new ZfsCore(library);
    }

    /**
     * Takes snapshots of one pool at one instant, all or none of them.
     *
     * @param snapshots {@code pool/path@name}, of one pool, at least one
     * @param properties user properties that all of them get, in the same transaction
     * @throws HostCallException with the first snapshot that failed, if the kernel names one; nothing was made
     */
    public void snapshot(List<String> snapshots, Map<String, String> properties) throws HostCallException {
        try (var arena = Arena.ofConfined()) {
            var first = Path.of(snapshots.getFirst());
            var lists = arena.allocate(3L * Long.BYTES, Long.BYTES);
            try {
                long names = newList(first, lists, 0);
                for (var snapshot : snapshots) {
                    checked(first, library.nvlist_add_boolean(names, text(snapshot)));
                }
                long values = newList(first, lists, Long.BYTES);
                for (var property : properties.entrySet()) {
                    checked(
                            first,
                            library.nvlist_add_string(values, text(property.getKey()), text(property.getValue())));
                }
                int error = library.lzc_snapshot(names, values, lists.address() + 2L * Long.BYTES);
                if (error != 0) {
                    throw failed(arena, lists.get(ValueLayout.JAVA_LONG, 2L * Long.BYTES), first, error);
                }
            } finally {
                for (long at = 0; at < lists.byteSize(); at += Long.BYTES) {
                    library.nvlist_free(lists.get(ValueLayout.JAVA_LONG, at));
                }
            }
        }
    }

    /**
     * What snapshots of file systems refer to, by a program that ZFS runs in the kernel (zfs-program(8)): nothing else
     * of the library says it.
     *
     * @param snapshots {@code pool/path@name}, of one pool, at least one
     * @return those that the kernel has told
     */
    public Map<String, Long> referencedBytes(List<String> snapshots) throws HostCallException {
        try (var arena = Arena.ofConfined()) {
            var first = Path.of(snapshots.getFirst());
            var lists = arena.allocate(2L * Long.BYTES, Long.BYTES);
            try {
                long names = newList(first, lists, 0);
                for (var snapshot : snapshots) {
                    checked(first, library.nvlist_add_string(names, text(snapshot), text("")));
                }
                int error = library.lzc_channel_program_nosync(
                        text(poolOf(snapshots.getFirst())),
                        text(REFERENCED),
                        INSTRUCTIONS_MAXIMUM,
                        MEMORY_BYTES_MAXIMUM,
                        names,
                        lists.address() + Long.BYTES);
                if (error != 0) {
                    throw new HostCallException("lzc_channel_program_nosync", first, error);
                }
                return numbers(arena, lists.get(ValueLayout.JAVA_LONG, Long.BYTES), snapshots);
            } finally {
                for (long at = 0; at < lists.byteSize(); at += Long.BYTES) {
                    library.nvlist_free(lists.get(ValueLayout.JAVA_LONG, at));
                }
            }
        }
    }

    private static String poolOf(String snapshot) {
        return snapshot.split("[/@]", 2)[0];
    }

    /** The answer's own list belongs to it, and goes with it. */
    private Map<String, Long> numbers(Arena arena, long answer, List<String> names) {
        var found = new HashMap<String, Long>();
        var value = arena.allocate(Long.BYTES, Long.BYTES);
        if (answer == 0 || library.nvlist_lookup_nvlist(answer, text("return"), value.address()) != 0) {
            return found;
        }
        long returned = value.get(ValueLayout.JAVA_LONG, 0);
        for (var name : names) {
            if (library.nvlist_lookup_int64(returned, text(name), value.address()) == 0) {
                found.put(name, value.get(ValueLayout.JAVA_LONG, 0));
            }
        }
        return found;
    }

    private long newList(Path snapshot, MemorySegment lists, long at) throws HostCallException {
        checked(snapshot, library.nvlist_alloc(lists.address() + at, UNIQUE_NAMES, 0));
        return lists.get(ValueLayout.JAVA_LONG, at);
    }

    /** The kernel answers a list of snapshots with an error each, or only the one that is the answer of the call. */
    private HostCallException failed(Arena arena, long errors, Path first, int error) {
        long pair = errors == 0 ? 0 : library.nvlist_next_nvpair(errors, 0);
        if (pair != 0) {
            var value = arena.allocate(ValueLayout.JAVA_INT);
            if (library.nvpair_value_int32(pair, value.address()) == 0) {
                return new HostCallException(
                        "lzc_snapshot", Path.of(library.nvpair_name(pair)), value.get(ValueLayout.JAVA_INT, 0));
            }
        }
        return new HostCallException("lzc_snapshot", first, error);
    }

    private static void checked(Path snapshot, int error) throws HostCallException {
        if (error != 0) {
            throw new HostCallException("nvlist", snapshot, error);
        }
    }

    private static byte[] text(String text) {
        return (text + '\0').getBytes(StandardCharsets.UTF_8);
    }
}

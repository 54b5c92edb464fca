package io.tidemark.nativeblock;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Host calls through the native library; each is one call into C, which opens, asks and closes. */
final class LinuxHostCalls implements HostCalls {
    /** {@code struct tidemark_extent}. */
    private static final int EXTENT_BYTES = 32;

    private static final long PHYSICAL_AT = 8;
    private static final long LENGTH_AT = 16;
    private static final long FLAGS_AT = 24;

    /** Extents asked for by one call into C, 2 MiB of memory: longer lists are asked for piece by piece. */
    private static final int EXTENTS_A_CALL = 1 << 16;

    /** {@code struct tidemark_btrfs_subvolume}. */
    private static final int SUBVOLUME_BYTES = 96;

    private static final long CREATED_SECONDS_AT = 8;
    private static final long CREATED_NANOS_AT = 16;
    private static final long READ_ONLY_AT = 20;
    private static final long UUID_AT = 24;
    private static final long PARENT_UUID_AT = 40;
    private static final long RECEIVED_UUID_AT = 56;
    private static final long MADE_AT = 72;
    private static final long CHANGED_AT = 80;
    private static final long SENT_AT = 88;

    /** The order of bytes in which a UUID is written. */
    private static final ValueLayout.OfLong BIG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    /** For paths of nested subvolumes: people read the first few. */
    private static final int NESTED_PATHS_BYTES = 1 << 16;

    private final TidemarkBlockLibrary library;

    LinuxHostCalls(TidemarkBlockLibrary library) {
        this.library = library;
    }

    @Override
    public List<Extent> extents(Path file, long fromBytes, int maximum) throws IOException {
        return listed("FIEMAP", file, fromBytes, maximum, library::tidemark_extents);
    }

    @Override
    public List<FileRange> dataRanges(Path file, long fromBytes, int maximum) throws IOException {
        return listed("SEEK_DATA", file, fromBytes, maximum, library::tidemark_data_ranges).stream()
                .map(range -> new FileRange(range.logicalBytes(), range.lengthBytes()))
                .toList();
    }

    @FunctionalInterface
    private interface Listing {
        long list(byte[] path, long fromBytes, long extents, int maximum);
    }

    private static List<Extent> listed(String call, Path file, long fromBytes, int maximum, Listing listing)
            throws IOException {
        if (fromBytes < 0 || maximum < 1) {
            throw new IllegalArgumentException("fromBytes %d or maximum %d too small".formatted(fromBytes, maximum));
        }
        var path = NativePath.bytes(file);
        var extents = new ArrayList<Extent>();
        try (var arena = Arena.ofConfined()) {
            var room = Math.min(maximum, EXTENTS_A_CALL);
            var memory = arena.allocate((long) room * EXTENT_BYTES, Long.BYTES);
            var from = fromBytes;
            while (extents.size() < maximum) {
                var wanted = Math.min(room, maximum - extents.size());
                var found = (int) checked(call, file, listing.list(path, from, memory.address(), wanted));
                for (int i = 0; i < found; i++) {
                    extents.add(extentAt(memory, (long) i * EXTENT_BYTES));
                }
                if (found < wanted) {
                    break;
                }
                var last = extents.getLast();
                from = last.logicalBytes() + last.lengthBytes();
            }
        }
        return List.copyOf(extents);
    }

    @Override
    public void willRead(Path file, List<FileRange> ranges) throws IOException {
        try (var arena = Arena.ofConfined()) {
            var memory = arena.allocate(Math.max(1L, ranges.size()) * EXTENT_BYTES, Long.BYTES);
            for (int i = 0; i < ranges.size(); i++) {
                memory.set(
                        ValueLayout.JAVA_LONG,
                        (long) i * EXTENT_BYTES,
                        ranges.get(i).offsetBytes());
                memory.set(
                        ValueLayout.JAVA_LONG,
                        (long) i * EXTENT_BYTES + LENGTH_AT,
                        ranges.get(i).lengthBytes());
            }
            checked(
                    "FADV_WILLNEED",
                    file,
                    library.tidemark_will_read(NativePath.bytes(file), memory.address(), ranges.size()));
        }
    }

    @Override
    public Closeable lock(Path file) throws IOException {
        int locked = (int) checked("F_OFD_SETLK", file, library.tidemark_lock_file(NativePath.bytes(file)));
        return () -> checked("close", file, library.tidemark_unlock_file(locked));
    }

    private static Extent extentAt(MemorySegment memory, long at) {
        return new Extent(
                memory.get(ValueLayout.JAVA_LONG, at),
                memory.get(ValueLayout.JAVA_LONG, at + PHYSICAL_AT),
                memory.get(ValueLayout.JAVA_LONG, at + LENGTH_AT),
                memory.get(ValueLayout.JAVA_INT, at + FLAGS_AT));
    }

    @Override
    public long extentCount(Path file) throws IOException {
        return checked("FIEMAP", file, library.tidemark_extent_count(NativePath.bytes(file)));
    }

    @Override
    public void reflink(Path source, Path target) throws IOException {
        checked("FICLONE", target, library.tidemark_reflink(NativePath.bytes(source), NativePath.bytes(target)));
    }

    @Override
    public void syncFileSystem(Path path) throws IOException {
        checked("syncfs", path, library.tidemark_sync_file_system(NativePath.bytes(path)));
    }

    @Override
    public boolean thaw(Path mountPoint) throws IOException {
        return checked("FITHAW", mountPoint, library.tidemark_thaw(NativePath.bytes(mountPoint))) != 0;
    }

    @Override
    public long blockDeviceBytes(Path device) throws IOException {
        return checked("BLKGETSIZE64", device, library.tidemark_block_device_bytes(NativePath.bytes(device)));
    }

    @Override
    public void punchHole(Path file, long offsetBytes, long lengthBytes) throws IOException {
        if (offsetBytes < 0 || lengthBytes < 1 || lengthBytes > Long.MAX_VALUE - offsetBytes) {
            throw new IllegalArgumentException("bad range: offset %d, length %d".formatted(offsetBytes, lengthBytes));
        }
        checked("fallocate", file, library.tidemark_punch_hole(NativePath.bytes(file), offsetBytes, lengthBytes));
    }

    @Override
    public long fileSystemMagic(Path path) throws IOException {
        return checked("statfs", path, library.tidemark_file_system_magic(NativePath.bytes(path)));
    }

    @Override
    public void btrfsCreateSubvolume(Path subvolume) throws IOException {
        checked(
                "BTRFS_IOC_SUBVOL_CREATE",
                subvolume,
                library.tidemark_btrfs_create_subvolume(NativePath.bytes(subvolume)));
    }

    @Override
    public void btrfsSnapshot(Path subvolume, Path snapshot, boolean readOnly) throws IOException {
        checked(
                "BTRFS_IOC_SNAP_CREATE_V2",
                snapshot,
                library.tidemark_btrfs_snapshot(
                        NativePath.bytes(subvolume), NativePath.bytes(snapshot), readOnly ? 1 : 0));
    }

    @Override
    public void btrfsDeleteSubvolume(Path subvolume) throws IOException {
        checked(
                "BTRFS_IOC_SNAP_DESTROY",
                subvolume,
                library.tidemark_btrfs_delete_subvolume(NativePath.bytes(subvolume)));
    }

    @Override
    public boolean btrfsIsSubvolume(Path path) throws IOException {
        return checked("stat", path, library.tidemark_btrfs_is_subvolume(NativePath.bytes(path))) != 0;
    }

    @Override
    public Subvolume btrfsSubvolume(Path subvolume) throws IOException {
        try (var arena = Arena.ofConfined()) {
            var info = arena.allocate(SUBVOLUME_BYTES, Long.BYTES);
            checked(
                    "BTRFS_IOC_GET_SUBVOL_INFO",
                    subvolume,
                    library.tidemark_btrfs_subvolume_info(NativePath.bytes(subvolume), info.address()));
            return new Subvolume(
                    info.get(ValueLayout.JAVA_LONG, 0),
                    info.get(ValueLayout.JAVA_INT, READ_ONLY_AT) != 0,
                    Instant.ofEpochSecond(
                            info.get(ValueLayout.JAVA_LONG, CREATED_SECONDS_AT),
                            info.get(ValueLayout.JAVA_INT, CREATED_NANOS_AT)),
                    new Lineage(
                            uuidAt(info, UUID_AT),
                            uuidAt(info, PARENT_UUID_AT),
                            uuidAt(info, RECEIVED_UUID_AT),
                            info.get(ValueLayout.JAVA_LONG, MADE_AT),
                            info.get(ValueLayout.JAVA_LONG, CHANGED_AT),
                            info.get(ValueLayout.JAVA_LONG, SENT_AT)));
        }
    }

    @Override
    public void btrfsSetReceived(Path subvolume, UUID received) throws IOException {
        var uuid = ByteBuffer.allocate(2 * Long.BYTES)
                .putLong(received.getMostSignificantBits())
                .putLong(received.getLeastSignificantBits())
                .array();
        checked(
                "BTRFS_IOC_SET_RECEIVED_SUBVOL",
                subvolume,
                library.tidemark_btrfs_set_received(NativePath.bytes(subvolume), uuid));
    }

    private static UUID uuidAt(MemorySegment memory, long at) {
        return new UUID(memory.get(BIG, at), memory.get(BIG, at + Long.BYTES));
    }

    @Override
    public Nested btrfsNested(Path subvolume) throws IOException {
        try (var arena = Arena.ofConfined()) {
            var paths = arena.allocate(NESTED_PATHS_BYTES);
            var pathsCount = arena.allocate(ValueLayout.JAVA_INT);
            long count = checked(
                    "BTRFS_IOC_GET_SUBVOL_ROOTREF",
                    subvolume,
                    library.tidemark_btrfs_nested(
                            NativePath.bytes(subvolume), paths.address(), NESTED_PATHS_BYTES, pathsCount.address()));
            var some = new ArrayList<String>();
            long at = 0;
            for (int i = 0; i < pathsCount.get(ValueLayout.JAVA_INT, 0); i++) {
                long end = at;
                while (paths.get(ValueLayout.JAVA_BYTE, end) != 0) {
                    end++;
                }
                some.add(
                        new String(paths.asSlice(at, end - at).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8));
                at = end + 1;
            }
            return new Nested((int) count, some);
        }
    }

    @Override
    public void btrfsCommit(Path path) throws IOException {
        checked("BTRFS_IOC_WAIT_SYNC", path, library.tidemark_btrfs_commit(NativePath.bytes(path)));
    }

    @Override
    public void exchange(Path one, Path other) throws IOException {
        checked("RENAME_EXCHANGE", one, library.tidemark_rename(NativePath.bytes(one), NativePath.bytes(other), 1));
    }

    @Override
    public void renameToNew(Path from, Path to) throws IOException {
        checked("RENAME_NOREPLACE", to, library.tidemark_rename(NativePath.bytes(from), NativePath.bytes(to), 0));
    }

    private static long checked(String call, Path path, long result) throws HostCallException {
        if (result < 0) {
            throw new HostCallException(call, path, (int) -result);
        }
        return result;
    }
}

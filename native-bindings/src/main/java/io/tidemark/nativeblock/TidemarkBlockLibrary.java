package io.tidemark.nativeblock;

import java.nio.file.Path;
import jnr.ffi.LibraryLoader;
import jnr.ffi.annotations.In;
import jnr.ffi.types.int32_t;
import jnr.ffi.types.int64_t;
import jnr.ffi.types.u_int32_t;
import jnr.ffi.types.u_int64_t;
import jnr.ffi.types.uintptr_t;

/**
 * {@code tidemark_block.h}: one method per function, in the same order, under the C name. Buffers go as addresses,
 * which costs no object and no copy a call; the caller keeps them reachable until the call returns.
 */
public interface TidemarkBlockLibrary {
    /** Must equal {@code TIDEMARK_BLOCK_ABI} in {@code tidemark_block.h}. */
    int ABI = 7;

    /** @throws UnsatisfiedLinkError if the file is missing, is for another machine, or has another ABI */
    static TidemarkBlockLibrary load(Path file) {
        var library = LibraryLoader.create(TidemarkBlockLibrary.class)
                .failImmediately()
                .load(file.toAbsolutePath().toString());
        int abi = library.tidemark_block_abi();
        if (abi != ABI) {
            throw new UnsatisfiedLinkError("%s has ABI %d, this build needs %d".formatted(file, abi, ABI));
        }
        return library;
    }

    @u_int32_t
    int tidemark_block_abi();

    @int64_t
    long tidemark_diff_blocks(
            @uintptr_t long left,
            @uintptr_t long right,
            @u_int64_t long lengthBytes,
            @u_int32_t int blockBytes,
            @uintptr_t long differingBits,
            @u_int64_t long bitmapBytes);

    @int64_t
    long tidemark_zero_blocks(
            @uintptr_t long data,
            @u_int64_t long lengthBytes,
            @u_int32_t int blockBytes,
            @uintptr_t long zeroBits,
            @u_int64_t long bitmapBytes);

    @int64_t
    long tidemark_hash_blocks(
            @uintptr_t long data,
            @u_int64_t long lengthBytes,
            @u_int32_t int blockBytes,
            @int32_t int algorithm,
            @uintptr_t long digests,
            @u_int64_t long digestsBytes);

    @int64_t
    long tidemark_scan_file(@uintptr_t long scan, @uintptr_t long control);

    @int64_t
    long tidemark_compare_files(@uintptr_t long comparison, @uintptr_t long control);

    @int64_t
    long tidemark_extents(@In byte[] path, @u_int64_t long fromBytes, @uintptr_t long extents, @u_int32_t int maximum);

    @int64_t
    long tidemark_data_ranges(
            @In byte[] path, @u_int64_t long fromBytes, @uintptr_t long ranges, @u_int32_t int maximum);

    @int64_t
    long tidemark_will_read(@In byte[] path, @uintptr_t long ranges, @u_int32_t int count);

    @int64_t
    long tidemark_lock_file(@In byte[] path);

    @int64_t
    long tidemark_unlock_file(int locked);

    @int64_t
    long tidemark_extent_count(@In byte[] path);

    @int64_t
    long tidemark_reflink(@In byte[] source, @In byte[] target);

    @int64_t
    long tidemark_sync_file_system(@In byte[] path);

    @int64_t
    long tidemark_thaw(@In byte[] mountPoint);

    @int64_t
    long tidemark_block_device_bytes(@In byte[] path);

    @int64_t
    long tidemark_punch_hole(@In byte[] path, @u_int64_t long offsetBytes, @u_int64_t long lengthBytes);

    @int64_t
    long tidemark_file_system_magic(@In byte[] path);

    @int64_t
    long tidemark_btrfs_create_subvolume(@In byte[] subvolume);

    @int64_t
    long tidemark_btrfs_snapshot(@In byte[] subvolume, @In byte[] snapshot, @int32_t int readOnly);

    @int64_t
    long tidemark_btrfs_delete_subvolume(@In byte[] subvolume);

    @int64_t
    long tidemark_btrfs_is_subvolume(@In byte[] path);

    @int64_t
    long tidemark_btrfs_subvolume_info(@In byte[] path, @uintptr_t long info);

    @int64_t
    long tidemark_btrfs_set_received(@In byte[] subvolume, @In byte[] uuid);

    @int64_t
    long tidemark_btrfs_nested(
            @In byte[] subvolume, @uintptr_t long paths, @u_int32_t int roomBytes, @uintptr_t long pathsCount);

    @int64_t
    long tidemark_btrfs_commit(@In byte[] path);

    @int64_t
    long tidemark_rename(@In byte[] from, @In byte[] to, @int32_t int exchange);

    @int64_t
    long tidemark_thin_cut(@uintptr_t long cuts, @u_int32_t int count);

    @int64_t
    long tidemark_classic_cut(@uintptr_t long cuts, @u_int32_t int count);

    @int64_t
    long tidemark_resume(@In byte[] mappedName);
}

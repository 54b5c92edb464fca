/*
 * Tidemark's block engine: what one pass over a buffer or a file can tell, and the Linux calls the JDK has no door to.
 *
 * The library computes and never decides: no retry, no logging, no configuration, no state that changes after
 * loading, no threads of its own. Every function may run on any thread at once with others, as long as output
 * buffers are not shared.
 *
 * Lengths and offsets are bytes. Paths are NUL-terminated bytes as the kernel takes them. Functions that can fail
 * return a negative errno; none leaves a descriptor open or memory allocated.
 *
 * Block sizes are powers of two from 512 bytes to 16 MiB; the last block may be short. Bitmaps hold one bit a block,
 * least significant bit first within a byte; bits are only ever set, so one bitmap can collect several calls. Input
 * buffers need no alignment. A length of zero is no blocks, and pointers are then not looked at.
 */
#ifndef TIDEMARK_BLOCK_H
#define TIDEMARK_BLOCK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever a signature, a struct or a meaning below changes. NativeBlockKernel.ABI must be equal. */
#define TIDEMARK_BLOCK_ABI 1

#define TIDEMARK_BLOCK_BYTES_MIN 512u
#define TIDEMARK_BLOCK_BYTES_MAX (16u << 20)

/* Codes of HashAlgorithm; they are in file formats and frames, so they never change. */
#define TIDEMARK_HASH_XXH3_128 1 /* 16 bytes, canonical: high half first, big-endian, as `xxhsum -H2` prints */
#define TIDEMARK_HASH_SHA_256 2  /* 32 bytes, FIPS 180-4 */

#define TIDEMARK_API __attribute__((visibility("default")))

/* One mapped piece of a file, as struct fiemap_extent has it. */
struct tidemark_extent {
    uint64_t logical_bytes;
    uint64_t physical_bytes;
    uint64_t length_bytes;
    uint32_t flags;    /* FIEMAP_EXTENT_* */
    uint32_t reserved; /* zero */
};

/* TIDEMARK_BLOCK_ABI of the library that was loaded. */
TIDEMARK_API uint32_t tidemark_block_abi(void);

/*
 * Sets one bit in differing_bits for every block that differs between left and right; bits of equal blocks are left
 * as they are.
 *
 * Returns the number of differing blocks, -EINVAL for a bad block size, or -ERANGE when bitmap_bytes cannot hold one
 * bit a block.
 */
TIDEMARK_API int64_t tidemark_diff_blocks(const uint8_t *left, const uint8_t *right, uint64_t length_bytes,
                                          uint32_t block_bytes, uint8_t *differing_bits, uint64_t bitmap_bytes);

/* Sets one bit in zero_bits for every block that holds nothing but zero bytes. Returns as tidemark_diff_blocks. */
TIDEMARK_API int64_t tidemark_zero_blocks(const uint8_t *data, uint64_t length_bytes, uint32_t block_bytes,
                                          uint8_t *zero_bits, uint64_t bitmap_bytes);

/*
 * Writes the digest of every block, one after the other.
 *
 * Returns the number of blocks hashed, -EINVAL for a bad block size or unknown algorithm, or -ERANGE when
 * digests_bytes cannot hold every digest.
 */
TIDEMARK_API int64_t tidemark_hash_blocks(const uint8_t *data, uint64_t length_bytes, uint32_t block_bytes,
                                          int32_t algorithm, uint8_t *digests, uint64_t digests_bytes);

/*
 * Reads length_bytes of a regular file or block device from offset_bytes on (a multiple of block_bytes) and writes the
 * digest of every block, in one pass through a buffer that stays in the cache. A file that ends inside the range gives
 * a short last block and stops.
 *
 * Returns the number of blocks hashed; -EINVAL also for a misaligned or overflowing range and for what is neither file
 * nor block device; -ERANGE as above, for the whole range asked for; -ENOMEM; or what open(2) and pread(2) give.
 * After a failure the digests already written are undefined.
 */
TIDEMARK_API int64_t tidemark_hash_file(const char *path, uint64_t offset_bytes, uint64_t length_bytes,
                                        uint32_t block_bytes, int32_t algorithm, uint8_t *digests,
                                        uint64_t digests_bytes);

/*
 * Lists the file's extents that start at or after from_bytes, in order, after flushing it (FIEMAP_FLAG_SYNC). Ask again
 * from the end of the last one. A file system that clips an extent at from_bytes (Btrfs) reports it as starting there.
 *
 * Returns how many of at most `maximum` were written; 0 means there are no more.
 */
TIDEMARK_API int64_t tidemark_extents(const char *path, uint64_t from_bytes, struct tidemark_extent *extents,
                                      uint32_t maximum);

/* Number of extents of the whole file after flushing it, without listing them. */
TIDEMARK_API int64_t tidemark_extent_count(const char *path);

/*
 * FICLONE: target, created with mode 0600 or truncated, shares every extent of source. Returns 0; -EINVAL when both are
 * one file; -EXDEV or -EOPNOTSUPP where the file system cannot. A target that did not exist is gone again after a
 * failure; one that did may be empty. Nothing is synced.
 */
TIDEMARK_API int64_t tidemark_reflink(const char *source, const char *target);

/* syncfs(2) on the file system that holds path. Returns 0. */
TIDEMARK_API int64_t tidemark_sync_file_system(const char *path);

/* FITHAW. Returns 1 when the file system was frozen, 0 when it was not (EINVAL of the kernel). */
TIDEMARK_API int64_t tidemark_thaw(const char *mount_point);

/* BLKGETSIZE64. -ENOTTY when path is no block device. */
TIDEMARK_API int64_t tidemark_block_device_bytes(const char *path);

/*
 * Makes a range of a file or block device read as zeros and frees what is under it where the storage can: fallocate
 * with PUNCH_HOLE and KEEP_SIZE; on a block device that cannot unmap, BLKZEROOUT (zeros are written, range in multiples
 * of the logical block size). Returns 0; -EOPNOTSUPP where a file's file system cannot punch.
 */
TIDEMARK_API int64_t tidemark_punch_hole(const char *path, uint64_t offset_bytes, uint64_t length_bytes);

/* statfs(2) f_type, as 32 bits without sign. */
TIDEMARK_API int64_t tidemark_file_system_magic(const char *path);

/* BTRFS_IOC_SUBVOL_CREATE. Returns 0. The parent folder must exist. */
TIDEMARK_API int64_t tidemark_btrfs_create_subvolume(const char *subvolume);

/* BTRFS_IOC_SNAP_CREATE_V2 without the asynchronous flag: durable when it returns 0. */
TIDEMARK_API int64_t tidemark_btrfs_snapshot(const char *subvolume, const char *snapshot, int32_t read_only);

/*
 * BTRFS_IOC_SNAP_DESTROY. Returns 0 when the name is gone; space comes back later, and a power failure within the
 * commit interval may bring the name back. -EINVAL for what is no subvolume, -ENOTEMPTY when others are nested in it.
 */
TIDEMARK_API int64_t tidemark_btrfs_delete_subvolume(const char *subvolume);

/* Returns 1 for the root folder of a Btrfs subvolume, else 0. */
TIDEMARK_API int64_t tidemark_btrfs_is_subvolume(const char *path);

#ifdef __cplusplus
}
#endif

#endif

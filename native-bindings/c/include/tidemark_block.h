/*
 * Tidemark's block engine: what one pass over a buffer or a file can tell, and the Linux calls the JDK has no door to.
 *
 * The library computes and never decides: no retry, no logging, no configuration. Every function may run on any thread
 * at once with others, as long as output buffers are not shared. Scans and comparisons of files start threads, and end
 * them before they return; the first one that maps a file leaves a SIGBUS handler behind, which hands on whatever is
 * not its own. Threads that call them must not block SIGBUS.
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
#define TIDEMARK_BLOCK_ABI 7

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

/* How a file's bytes come to the kernel. */
#define TIDEMARK_READ_MAPPED 1        /* mmap of a few MiB at a time, safe against a file that shrinks */
#define TIDEMARK_READ_BUFFERED 2      /* pread into a buffer that stays in the cache */
#define TIDEMARK_READ_DIRECT 3        /* O_DIRECT by io_uring, many reads under way; by threads where that is refused */
#define TIDEMARK_READ_DIRECT_PREAD 4  /* O_DIRECT by many threads with pread */

#define TIDEMARK_THREADS_MAX 256u

/* A non-empty run of bytes of a file. */
struct tidemark_range {
    uint64_t offset_bytes;
    uint64_t length_bytes;
};

/*
 * Memory that the caller and a running call share. Zeroed before its first use; one control may serve several calls
 * one after the other, which then keep one pace and add up. All members are read and written atomically.
 */
struct tidemark_control {
    uint64_t done_bytes;            /* raised by the call as it goes */
    uint64_t rate_bytes_per_second; /* set by the caller; upper bound, of all files together; 0: as fast as it goes */
    uint64_t paced_bytes;           /* of the call: bytes that the rate was applied to */
    uint64_t paced_from_nanos;      /* of the call: CLOCK_MONOTONIC, when the first of them would have been due had
                                       reading never been behind its rate by more than 50 ms */
    uint32_t cancelled;             /* set to 1 by anybody: the call returns -ECANCELED after the read under way */
    uint32_t read_by;               /* TIDEMARK_READ_* that served the last call: not always the one asked for */
};

/* What both calls below read. Ranges are ascending and disjoint. */
struct tidemark_reading {
    const struct tidemark_range *ranges; /* offsets are multiples of block_bytes; lengths too, but for the last one's */
    uint64_t range_count;
    uint64_t base_bytes;  /* where block 0 of the outputs starts; a multiple of block_bytes, not after any range */
    uint32_t block_bytes;
    uint32_t threads;     /* that compute: 1 to TIDEMARK_THREADS_MAX */
    uint32_t read_by;     /* TIDEMARK_READ_* */
    uint32_t reserved;    /* zero */
};

/* One pass over a file. A pointer that is NULL asks for nothing; its length is then not looked at. */
struct tidemark_scan {
    const char *path;
    struct tidemark_reading reading;
    uint8_t *digests;             /* written: the digest of each block read; those between ranges are left alone */
    uint64_t digests_bytes;
    const uint8_t *stored_digests; /* compared with; needs differing_bits */
    uint64_t stored_bytes;
    uint8_t *differing_bits;      /* set: blocks whose digest is not the stored one */
    uint64_t differing_bits_bytes;
    uint8_t *zero_bits;           /* set: blocks that hold nothing but zero bytes */
    uint64_t zero_bits_bytes;
    int32_t algorithm;
    uint32_t reserved;            /* zero */
    uint64_t differing_blocks;    /* set when the call succeeds */
    uint64_t zero_blocks;         /* set when the call succeeds */
};

/* Two files, byte by byte. */
struct tidemark_comparison {
    const char *left;
    const char *right;
    struct tidemark_reading reading;
    uint8_t *differing_bits; /* set: blocks that differ */
    uint64_t differing_bits_bytes;
};

/*
 * Reads the ranges of a regular file or block device once, by several threads, and computes whatever is asked for
 * while the bytes are in the cache.
 *
 * Returns the number of blocks read; -ENODATA when the file ends before a range does; -ECANCELED; -EINVAL for what the
 * structs do not allow and for what is neither file nor block device; -ERANGE when an output is too small; -ENOMEM,
 * -EAGAIN (no threads); or what open(2) and pread(2) give. After a failure the outputs are undefined.
 */
TIDEMARK_API int64_t tidemark_scan_file(struct tidemark_scan *scan, struct tidemark_control *control);

/* Compares the ranges of two files likewise. Returns the number of differing blocks; failures as above. */
TIDEMARK_API int64_t tidemark_compare_files(const struct tidemark_comparison *comparison,
                                            struct tidemark_control *control);

/*
 * Lists the file's extents that start at or after from_bytes, in order, after flushing it (FIEMAP_FLAG_SYNC). Ask again
 * from the end of the last one. A file system that clips an extent at from_bytes (Btrfs) reports it as starting there.
 * Where the file system lists none, the rest of the file is one extent with FIEMAP_EXTENT_UNKNOWN; of tmpfs each range
 * of data is.
 *
 * Returns how many of at most `maximum` were written; 0 means there are no more.
 */
TIDEMARK_API int64_t tidemark_extents(const char *path, uint64_t from_bytes, struct tidemark_extent *extents,
                                      uint32_t maximum);

/*
 * Lists where the file may have data at or after from_bytes, in order, after flushing it: what lies between reads as
 * zeros. Neighbouring extents are one range, what is allocated and unwritten is none; physical_bytes and flags are 0.
 * Far cheaper than FIEMAP where blocks are shared (Btrfs looks up every extent's owners for that).
 *
 * Returns how many of at most `maximum` were written; 0 means there are no more. -EOPNOTSUPP where the file system does
 * not list extents: its word on holes is not known to be good.
 */
TIDEMARK_API int64_t tidemark_data_ranges(const char *path, uint64_t from_bytes, struct tidemark_extent *ranges,
                                          uint32_t maximum);

/*
 * Advice that the ranges will be read soon (POSIX_FADV_WILLNEED): what is not in memory is being read on return,
 * as many at once as the storage takes; of a long range what the kernel reads ahead at once. Of ranges nothing but
 * logical_bytes and length_bytes is looked at. Returns 0.
 */
TIDEMARK_API int64_t tidemark_will_read(const char *path, const struct tidemark_extent *ranges, uint32_t count);

/*
 * Locks the whole file for writing until tidemark_unlock_file or the end of the process (F_OFD_SETLK): unlike a POSIX
 * lock it stays when another descriptor of the file is closed, and it conflicts with those and with what qemu takes.
 *
 * Returns a descriptor to unlock with; -EAGAIN when somebody else has a lock.
 */
TIDEMARK_API int64_t tidemark_lock_file(const char *path);

/* Returns 0. */
TIDEMARK_API int64_t tidemark_unlock_file(int32_t locked);

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

/* What Btrfs keeps of a subvolume. */
struct tidemark_btrfs_subvolume {
    uint64_t id;
    int64_t created_seconds; /* since 1970: when the subvolume, or the snapshot, was made */
    uint32_t created_nanos;
    uint32_t read_only; /* 0 or 1 */
    uint8_t uuid[16];
    uint8_t parent_uuid[16];   /* of what it is a snapshot of; zeros: of nothing */
    uint8_t received_uuid[16]; /* of what it was received from; zeros: it was not received */
    uint64_t made_transaction;
    uint64_t changed_transaction; /* of the last change of what it holds; of a snapshot at first that of its source */
    uint64_t sent_transaction;    /* changed_transaction of what it was received from, there */
};

/* BTRFS_IOC_GET_SUBVOL_INFO. Returns 0; -EINVAL for what is no root of a subvolume. */
TIDEMARK_API int64_t tidemark_btrfs_subvolume_info(const char *path, struct tidemark_btrfs_subvolume *info);

/*
 * BTRFS_IOC_SET_RECEIVED_SUBVOL, then read-only by BTRFS_IOC_SUBVOL_SETFLAGS: a writable subvolume becomes what
 * "btrfs receive" finds by this UUID. Returns 0; -EROFS for a read-only one.
 */
TIDEMARK_API int64_t tidemark_btrfs_set_received(const char *subvolume, const uint8_t uuid[16]);

/*
 * Subvolumes that lie in this one, at any depth of folders but not within each other: BTRFS_IOC_GET_SUBVOL_ROOTREF and
 * BTRFS_IOC_INO_LOOKUP_USER. Writes their paths from its root on, each with its NUL, as far as they fit into the room.
 * Returns how many there are, at most 255; paths_count how many of them were written.
 */
TIDEMARK_API int64_t tidemark_btrfs_nested(const char *subvolume, char *paths, uint32_t room_bytes,
                                           uint32_t *paths_count);

/* BTRFS_IOC_START_SYNC and WAIT_SYNC: what was changed before is durable when it returns 0; data of files is not. */
TIDEMARK_API int64_t tidemark_btrfs_commit(const char *path);

/*
 * renameat2(2). Not 0: both exist and exchange their names in one step (RENAME_EXCHANGE); 0: -EEXIST where there is
 * such a target (RENAME_NOREPLACE). Returns 0; not durable before its folders are.
 */
TIDEMARK_API int64_t tidemark_rename(const char *from, const char *to, int32_t exchange);

/* As DM_NAME_LEN of linux/dm-ioctl.h, the NUL included. */
#define TIDEMARK_MAPPED_NAME_BYTES 128u
#define TIDEMARK_CUTS_MAX 64u

/* How far a cut of a volume came before it failed. */
#define TIDEMARK_CUT_STEP_NONE 0    /* did not fail, or another one of the call did */
#define TIDEMARK_CUT_STEP_CHECK 1
#define TIDEMARK_CUT_STEP_SUSPEND 2
#define TIDEMARK_CUT_STEP_CREATE 3
#define TIDEMARK_CUT_STEP_RESUME 4  /* the snapshot may be there; the origin is still suspended */
#define TIDEMARK_CUT_STEP_HELD 5    /* somebody else resumed an origin of the call before all were cut; none is */
#define TIDEMARK_CUT_STEP_POOL 6    /* the pool does not write its metadata any more: it may have lost the snapshot */
#define TIDEMARK_CUT_STEP_RESET 7   /* of a classic snapshot: its old content could not be thrown away */
#define TIDEMARK_CUT_STEP_MARK 8    /* of a classic snapshot: its mark may be there or not */

/* One volume of a cut. Names are the device mapper's; times are of CLOCK_MONOTONIC, 0 where it did not come to that. */
struct tidemark_thin_cut {
    char origin[TIDEMARK_MAPPED_NAME_BYTES]; /* the volume's device */
    char pool[TIDEMARK_MAPPED_NAME_BYTES];   /* the device of its pool that takes messages */
    uint32_t origin_id;                      /* the pool's number of the volume */
    uint32_t snapshot_id;                    /* and of the snapshot to be; the pool must have none of that number */
    uint32_t active;                         /* not 0: that the origin has no device is a failure; else it may have
                                                none, and then there is nothing to suspend */
    int32_t error;                           /* set: 0, or the errno of the step that failed */
    uint32_t failed_step;                    /* set: TIDEMARK_CUT_STEP_* */
    uint32_t reserved;                       /* zero */
    uint64_t origin_sectors;                 /* of 512 bytes: the volume's length */
    int64_t asked_nanos;                     /* set: before the origin was suspended, or would have been */
    int64_t suspended_nanos;                 /* set: when it was; all writes that were under way had ended */
    int64_t cut_nanos;                       /* set: when the pool had the snapshot, durably */
    int64_t resumed_nanos;                   /* set: when writers went on */
};

/*
 * Snapshots of thin volumes, of one instant: suspends all origins without locking their file systems (whoever wants
 * that froze them before: FIFREEZE and a lock exclude each other), lets the pools make the snapshots, and resumes the
 * origins in reverse, whatever happened. Between the first suspension and the last resumption it opens no file,
 * allocates nothing, takes no signal, and touches no memory that it has not locked or just used: its own pages may lie
 * on what is suspended. When the process is killed in between, a sentinel that lives as long as the call resumes them;
 * when both are, origins stay suspended: tidemark_resume. Memory is locked as far as the process may.
 *
 * What is suspended already, or has another table loaded, is somebody else's work and refused with EBUSY; what is not
 * the thin volume of that number and length any more, with ESTALE. Where somebody else resumes an origin in the window,
 * the call's snapshots are not of one instant: they are deleted again and all of the call fails, with ESTALE.
 *
 * Returns how many were cut, each durable; the structs say the rest. Nothing was tried when it returns -EINVAL for
 * what the structs do not allow, -ENOMEM, -EAGAIN where no sentinel could be started, or what open(2) gives for the
 * device mapper's control file.
 */
TIDEMARK_API int64_t tidemark_thin_cut(struct tidemark_thin_cut *cuts, uint32_t count);

/* Bytes of a mark, and where it lies in the exception store: behind what the kernel reads of its first chunk. */
#define TIDEMARK_MARK_BYTES 512u
#define TIDEMARK_MARK_AT 512u

/* One classic volume of a cut. Names and times as above. */
struct tidemark_classic_cut {
    char origin[TIDEMARK_MAPPED_NAME_BYTES];   /* the volume's device, of target snapshot-origin */
    char snapshot[TIDEMARK_MAPPED_NAME_BYTES]; /* the device of a snapshot of it that nobody needs any more */
    char store[TIDEMARK_MAPPED_NAME_BYTES];    /* the device of that one's exception store */
    uint8_t mark[TIDEMARK_MARK_BYTES];         /* says for ever that, and for what, it was cut */
    int32_t error;                             /* set: 0, or the errno of the step that failed */
    uint32_t failed_step;                      /* set: TIDEMARK_CUT_STEP_* */
    uint64_t origin_sectors;                   /* of 512 bytes: the volume's length */
    int64_t asked_nanos;                       /* set: before the origin was suspended */
    int64_t suspended_nanos;                   /* set: when it was; all writes that were under way had ended */
    int64_t cut_nanos;                         /* set: when the snapshot's store had its mark, durably */
    int64_t resumed_nanos;                     /* set: when writers went on */
};

/*
 * Makes snapshots of classic (not thin) volumes anew, of one instant. Each snapshot is there already, active and with a
 * store; its content is thrown away first, while writers go on: its device gets an error target, its store an empty
 * header, and the table it had is loaded again. Then all origins are suspended as by tidemark_thin_cut, the tables take
 * effect, the stores get their marks, and the origins are resumed in reverse, whatever happened. A store with its mark
 * is of a snapshot that was cut; the kernel takes the mark away where it invalidates the snapshot.
 *
 * A device that is suspended, has another table loaded, or a snapshot that is open, is refused with EBUSY; what is not
 * that snapshot of that volume any more, with ESTALE. Where somebody else resumes an origin or a snapshot meanwhile,
 * nothing is marked and all of the call fails, with ESTALE. What has failed has no mark, but for TIDEMARK_CUT_STEP_MARK
 * and _RESUME; its content is of no use.
 *
 * Returns how many were cut, and fails, as tidemark_thin_cut. A store that cannot be opened is a failure of the step
 * TIDEMARK_CUT_STEP_CHECK.
 */
TIDEMARK_API int64_t tidemark_classic_cut(struct tidemark_classic_cut *cuts, uint32_t count);

/*
 * Resumes a device of the device mapper. Returns 1 when it was suspended, 0 when not; -ENXIO when there is no such
 * device; -EBUSY when another table is loaded, which somebody else's work would lose.
 */
TIDEMARK_API int64_t tidemark_resume(const char *mapped_name);

#ifdef __cplusplus
}
#endif

#endif

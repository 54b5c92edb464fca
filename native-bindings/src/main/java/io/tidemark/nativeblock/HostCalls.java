package io.tidemark.nativeblock;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.UUID;

/**
 * Linux system calls on files, file systems and devices that the JDK has no door to. Present only where the native
 * library loaded: ask {@link BlockKernels#hostCalls()}. Every method throws {@link HostCallException} (an
 * {@link IOException} with the errno) naming the path; none leaves a descriptor open.
 */
public interface HostCalls {

    /**
     * One mapped piece of a file.
     *
     * @param logicalBytes offset in the file
     * @param physicalBytes offset on the device; meaningless when a flag says so
     * @param flags {@code FIEMAP_EXTENT_*} of {@code linux/fiemap.h}
     */
    record Extent(long logicalBytes, long physicalBytes, long lengthBytes, int flags) {
        /** {@code FIEMAP_EXTENT_UNWRITTEN}: allocated, reads as zero. */
        public static final int UNWRITTEN = 0x800;
        /** UNKNOWN, DELALLOC, ENCODED, DATA_ENCRYPTED, NOT_ALIGNED, DATA_INLINE, DATA_TAIL: no comparable address. */
        public static final int NOT_COMPARABLE = 0x2 | 0x4 | 0x8 | 0x80 | 0x100 | 0x200 | 0x400;
    }

    /**
     * The file's extents that start at or after {@code fromBytes}, in order, after flushing it
     * ({@code FIEMAP_FLAG_SYNC}); at most {@code maximum}. Ask again from the end of the last one. Where the file system
     * lists none, the rest of the file is one that is {@link Extent#NOT_COMPARABLE}; of tmpfs each range of data is.
     */
    List<Extent> extents(Path file, long fromBytes, int maximum) throws IOException;

    /**
     * Where the file may have data at or after {@code fromBytes}, in order, after flushing it; what lies between reads as
     * zeros. At most {@code maximum}: ask again from the end of the last one. Neighbouring extents are one range, and
     * what is allocated and unwritten is none ({@code SEEK_DATA}, {@code SEEK_HOLE} of {@code lseek(2)}); refused where
     * the file system does not list extents.
     */
    List<FileRange> dataRanges(Path file, long fromBytes, int maximum) throws IOException;

    /**
     * Advice that the ranges will be read soon: reads of what is not in memory are under way on return, as many at once
     * as the storage takes, of a long range what the kernel reads ahead at once ({@code POSIX_FADV_WILLNEED}).
     */
    void willRead(Path file, List<FileRange> ranges) throws IOException;

    /**
     * Locks the whole file for writing until the answer is closed ({@code F_OFD_SETLK}). The JDK's lock is gone as soon as anybody in this process
     * closes the file; this one stays. It conflicts with those, and with what qemu takes on images in use.
     *
     * @throws HostCallException {@link HostCallException#EAGAIN} when somebody else has a lock, in this process too
     */
    Closeable lock(Path file) throws IOException;

    /** Number of extents, without listing them. */
    long extentCount(Path file) throws IOException;

    /** {@code FICLONE}: makes {@code target} (created or truncated) share every extent of {@code source}. */
    void reflink(Path source, Path target) throws IOException;

    /** {@code syncfs(2)} on the file system that holds {@code path}. */
    void syncFileSystem(Path path) throws IOException;

    /**
     * {@code FITHAW}; does nothing if the file system is not frozen.
     *
     * @return whether it was frozen
     */
    boolean thaw(Path mountPoint) throws IOException;

    /** {@code BLKGETSIZE64} of a block device. */
    long blockDeviceBytes(Path device) throws IOException;

    /** {@code fallocate(PUNCH_HOLE | KEEP_SIZE)} on a file or block device: the range reads as zeros afterwards. */
    void punchHole(Path file, long offsetBytes, long lengthBytes) throws IOException;

    /** Magic of the file system that holds {@code path} ({@code statfs(2) f_type}): 0x9123683E for Btrfs. */
    long fileSystemMagic(Path path) throws IOException;

    /** {@code BTRFS_IOC_SUBVOL_CREATE}. */
    void btrfsCreateSubvolume(Path subvolume) throws IOException;

    /** {@code BTRFS_IOC_SNAP_CREATE_V2}: constant time, durable when it returns. */
    void btrfsSnapshot(Path subvolume, Path snapshot, boolean readOnly) throws IOException;

    /** {@code BTRFS_IOC_SNAP_DESTROY}; a read-only snapshot too. */
    void btrfsDeleteSubvolume(Path subvolume) throws IOException;

    /** Whether the path is the root of a Btrfs subvolume (inode 256 on Btrfs). */
    boolean btrfsIsSubvolume(Path path) throws IOException;

    /**
     * What Btrfs keeps of a subvolume.
     *
     * @param createdAt when it, or the snapshot that it is, was made; written with it in one transaction
     */
    record Subvolume(long id, boolean readOnly, Instant createdAt, Lineage lineage) {}

    /**
     * Where a subvolume comes from; the number 0 and the UUID {@link #NONE} stand for nothing.
     *
     * @param parent what it is a snapshot of
     * @param received what it was received from: on whichever storage that was made first, however often it was sent on
     * @param madeIn the transaction that made it
     * @param changedIn the last one that changed what it holds: of a snapshot at first one of its source's
     * @param sentIn {@code changedIn} of what it was received from, where that is
     */
    record Lineage(UUID uuid, UUID parent, UUID received, long madeIn, long changedIn, long sentIn) {
        public static final UUID NONE = new UUID(0, 0);

        /** By which a send stream names it, and another storage knows its copy of it. */
        public UUID streamId() {
            return received.equals(NONE) ? uuid : received;
        }

        /** Of a snapshot, whether it is what it was when it was made. Moving its blocks about changes neither number. */
        public boolean untouched() {
            return changedIn <= madeIn;
        }
    }

    /** {@code BTRFS_IOC_GET_SUBVOL_INFO}; {@link HostCallException#EINVAL} for what is no root of a subvolume. */
    Subvolume btrfsSubvolume(Path subvolume) throws IOException;

    /**
     * {@code BTRFS_IOC_SET_RECEIVED_SUBVOL}: makes of a writable subvolume a read-only one that {@code btrfs receive}
     * finds by this UUID.
     */
    void btrfsSetReceived(Path subvolume, UUID received) throws IOException;

    /**
     * Subvolumes that lie in another, however deep in its folders, which no snapshot of it takes along.
     *
     * @param count at most 255, where there are more
     * @param some paths from the other's root on, of as many as fit into 64 KiB
     */
    record Nested(int count, List<String> some) {
        public Nested {
            some = List.copyOf(some);
        }
    }

    /** {@code BTRFS_IOC_GET_SUBVOL_ROOTREF}: without walking through its folders. */
    Nested btrfsNested(Path subvolume) throws IOException;

    /** {@code BTRFS_IOC_START_SYNC}, {@code WAIT_SYNC}: names and subvolumes as they are now survive a power cut. */
    void btrfsCommit(Path path) throws IOException;

    /** {@code RENAME_EXCHANGE} of {@code renameat2(2)}: two entries swap their names in one step. */
    void exchange(Path one, Path other) throws IOException;

    /** {@code RENAME_NOREPLACE}: {@link HostCallException#EEXIST} where there is such a target, a folder that is empty too. */
    void renameToNew(Path from, Path to) throws IOException;
}

/* Linux calls on files, file systems and block devices. Each opens, asks once, closes. */
#define _GNU_SOURCE
#include "tidemark_block.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Extents asked for by one FIEMAP: 7 KiB of stack; the call itself costs less than a hundredth of listing so many. */
#define EXTENTS_A_CALL 128u

/* Times that a file may be found punched while its data is listed, each of which somebody must have won a race. */
#define PUNCHED_MAX 1000u

/* Mode of a reflink's new target: an image holds somebody's data, so nobody else's to read until its owner says so. */
#define NEW_TARGET_MODE 0600

/* Non-blocking so that a pipe named by mistake is refused by the call that follows instead of holding the thread. */
#define OPEN_TO_ASK (O_RDONLY | O_CLOEXEC | O_NONBLOCK)

/* Keeps errno of a failed call over close. */
static int64_t close_with(int fd, int64_t result) {
    close(fd);
    return result;
}

static void copy_extent(struct tidemark_extent *to, const struct fiemap_extent *from) {
    *to = (struct tidemark_extent){
        .logical_bytes = from->fe_logical,
        .physical_bytes = from->fe_physical,
        .length_bytes = from->fe_length,
        .flags = from->fe_flags,
    };
}

static int64_t list_extents(int fd, uint64_t from_bytes, struct tidemark_extent *extents, uint32_t maximum) {
    union {
        struct fiemap map;
        uint8_t room[sizeof(struct fiemap) + EXTENTS_A_CALL * sizeof(struct fiemap_extent)];
    } request;
    uint32_t flags = FIEMAP_FLAG_SYNC;
    uint64_t start = from_bytes;
    uint32_t found = 0;
    while (found < maximum) {
        memset(&request.map, 0, sizeof request.map);
        request.map.fm_start = start;
        request.map.fm_length = FIEMAP_MAX_OFFSET - start;
        request.map.fm_flags = flags;
        request.map.fm_extent_count = EXTENTS_A_CALL;
        if (ioctl(fd, FS_IOC_FIEMAP, &request.map) != 0) {
            return -errno;
        }
        uint32_t mapped = request.map.fm_mapped_extents;
        for (uint32_t i = 0; i < mapped && found < maximum; i++) {
            const struct fiemap_extent *extent = &request.map.fm_extents[i];
            start = extent->fe_logical + extent->fe_length;
            if (extent->fe_logical >= from_bytes) {
                copy_extent(&extents[found++], extent);
            }
            if ((extent->fe_flags & FIEMAP_EXTENT_LAST) != 0) {
                return found;
            }
        }
        if (mapped < EXTENTS_A_CALL) {
            break;
        }
        flags = 0; /* flushed by the first call */
    }
    return found;
}

/* By SEEK_DATA, as the file system says; the flags are 0. */
static int64_t seek_data(int fd, uint64_t from_bytes, struct tidemark_extent *ranges, uint32_t maximum) {
    off_t at = (off_t)from_bytes;
    uint32_t found = 0;
    uint32_t punched = 0;
    while (found < maximum) {
        off_t data = lseek(fd, at, SEEK_DATA);
        if (data < 0) {
            return errno == ENXIO ? (int64_t)found : -errno;
        }
        at = lseek(fd, data, SEEK_HOLE);
        if (at < 0) {
            /* Cut off there meanwhile. */
            return errno == ENXIO ? (int64_t)found : -errno;
        }
        if (at <= data) {
            /* Punched between the two questions; who always answers so would be asked for ever. */
            if (++punched > PUNCHED_MAX) {
                return -EIO;
            }
            continue;
        }
        ranges[found++] = (struct tidemark_extent){
            .logical_bytes = (uint64_t)data,
            .length_bytes = (uint64_t)(at - data),
        };
    }
    return found;
}

/*
 * Where FIEMAP is not supported: tmpfs knows its holes all the same, and holds nothing that is not flushed. Of others
 * the word on holes is not known to be good, so the whole file is one extent.
 */
static int64_t list_unlisted(int fd, uint64_t from_bytes, struct tidemark_extent *extents, uint32_t maximum) {
    struct statfs system;
    struct stat file;
    if (fstatfs(fd, &system) != 0 || fstat(fd, &file) != 0) {
        return -errno;
    }
    int64_t found = 0;
    if (system.f_type == TMPFS_MAGIC) {
        found = seek_data(fd, from_bytes, extents, maximum);
    } else if (maximum > 0 && file.st_size > (int64_t)from_bytes) {
        extents[0] = (struct tidemark_extent){
            .logical_bytes = from_bytes,
            .length_bytes = (uint64_t)file.st_size - from_bytes,
        };
        found = 1;
    }
    for (int64_t i = 0; i < found; i++) {
        extents[i].flags = FIEMAP_EXTENT_UNKNOWN;
    }
    return found;
}

int64_t tidemark_extents(const char *path, uint64_t from_bytes, struct tidemark_extent *extents, uint32_t maximum) {
    if (from_bytes > INT64_MAX) {
        return -EINVAL;
    }
    int fd = open(path, OPEN_TO_ASK);
    if (fd < 0) {
        return -errno;
    }
    int64_t found = list_extents(fd, from_bytes, extents, maximum);
    return close_with(fd, found == -EOPNOTSUPP ? list_unlisted(fd, from_bytes, extents, maximum) : found);
}

/* Flushes the file, and asks whether its file system lists extents at all. */
static int64_t flush_to_list(int fd, uint64_t from_bytes) {
    struct {
        struct fiemap map;
        struct fiemap_extent first;
    } request;
    memset(&request, 0, sizeof request);
    request.map.fm_start = from_bytes;
    request.map.fm_length = FIEMAP_MAX_OFFSET - from_bytes;
    request.map.fm_flags = FIEMAP_FLAG_SYNC;
    request.map.fm_extent_count = 1;
    return ioctl(fd, FS_IOC_FIEMAP, &request.map) != 0 ? -errno : 0;
}

static int64_t list_data(int fd, uint64_t from_bytes, struct tidemark_extent *ranges, uint32_t maximum) {
    int64_t flushed = flush_to_list(fd, from_bytes);
    return flushed != 0 ? flushed : seek_data(fd, from_bytes, ranges, maximum);
}

int64_t tidemark_data_ranges(const char *path, uint64_t from_bytes, struct tidemark_extent *ranges, uint32_t maximum) {
    if (from_bytes > INT64_MAX) {
        return -EINVAL;
    }
    int fd = open(path, OPEN_TO_ASK);
    return fd < 0 ? -errno : close_with(fd, list_data(fd, from_bytes, ranges, maximum));
}

int64_t tidemark_will_read(const char *path, const struct tidemark_extent *ranges, uint32_t count) {
    int fd = open(path, OPEN_TO_ASK);
    if (fd < 0) {
        return -errno;
    }
    int failed = 0;
    for (uint32_t i = 0; i < count && failed == 0; i++) {
        failed = posix_fadvise(fd, (off_t)ranges[i].logical_bytes, (off_t)ranges[i].length_bytes, POSIX_FADV_WILLNEED);
    }
    return close_with(fd, -failed);
}

int64_t tidemark_lock_file(const char *path) {
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return -errno;
    }
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &whole) != 0 ? close_with(fd, -errno) : fd;
}

int64_t tidemark_unlock_file(int32_t locked) {
    return close(locked) != 0 ? -errno : 0;
}

int64_t tidemark_extent_count(const char *path) {
    int fd = open(path, OPEN_TO_ASK);
    if (fd < 0) {
        return -errno;
    }
    struct fiemap request = {.fm_length = FIEMAP_MAX_OFFSET, .fm_flags = FIEMAP_FLAG_SYNC};
    int failed = ioctl(fd, FS_IOC_FIEMAP, &request);
    return close_with(fd, failed != 0 ? -errno : (int64_t)request.fm_mapped_extents);
}

/* Truncates and clones; refuses to truncate the source itself under another name. */
static int64_t clone_into(int source, int target) {
    struct stat from;
    struct stat to;
    if (fstat(source, &from) != 0 || fstat(target, &to) != 0) {
        return -errno;
    }
    if (!S_ISREG(from.st_mode) || !S_ISREG(to.st_mode) || (from.st_dev == to.st_dev && from.st_ino == to.st_ino)) {
        return -EINVAL;
    }
    if (ftruncate(target, 0) != 0 || ioctl(target, FICLONE, source) != 0) {
        return -errno;
    }
    return 0;
}

int64_t tidemark_reflink(const char *source, const char *target) {
    int from = open(source, OPEN_TO_ASK);
    if (from < 0) {
        return -errno;
    }
    int created = 1;
    int to = open(target, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_CREAT | O_EXCL, NEW_TARGET_MODE);
    if (to < 0 && errno == EEXIST) {
        created = 0;
        to = open(target, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    }
    if (to < 0) {
        return close_with(from, -errno);
    }
    int64_t result = clone_into(from, to);
    if (result != 0 && created) {
        unlink(target);
    }
    close(to);
    return close_with(from, result);
}

int64_t tidemark_sync_file_system(const char *path) {
    int fd = open(path, OPEN_TO_ASK);
    return fd < 0 ? -errno : close_with(fd, syncfs(fd) != 0 ? -errno : 0);
}

int64_t tidemark_thaw(const char *mount_point) {
    int fd = open(mount_point, OPEN_TO_ASK);
    if (fd < 0) {
        return -errno;
    }
    if (ioctl(fd, FITHAW, 0) == 0) {
        return close_with(fd, 1);
    }
    return close_with(fd, errno == EINVAL ? 0 : -errno);
}

int64_t tidemark_block_device_bytes(const char *path) {
    int fd = open(path, OPEN_TO_ASK);
    if (fd < 0) {
        return -errno;
    }
    struct stat status;
    uint64_t bytes = 0;
    if (fstat(fd, &status) != 0) {
        return close_with(fd, -errno);
    }
    if (!S_ISBLK(status.st_mode)) {
        return close_with(fd, -ENOTTY);
    }
    return close_with(fd, ioctl(fd, BLKGETSIZE64, &bytes) != 0 ? -errno : (int64_t)bytes);
}

static int64_t punch(int fd, uint64_t offset_bytes, uint64_t length_bytes) {
    int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    int failed;
    do {
        failed = fallocate(fd, mode, (off_t)offset_bytes, (off_t)length_bytes);
    } while (failed != 0 && errno == EINTR);
    if (failed == 0) {
        return 0;
    }
    int punch_errno = errno;
    struct stat status;
    if (punch_errno != EOPNOTSUPP || fstat(fd, &status) != 0 || !S_ISBLK(status.st_mode)) {
        return -punch_errno;
    }
    /* Never BLKDISCARD: what a discarded range reads as is the device's own choice. */
    uint64_t range[2] = {offset_bytes, length_bytes};
    return ioctl(fd, BLKZEROOUT, range) != 0 ? -errno : 0;
}

int64_t tidemark_punch_hole(const char *path, uint64_t offset_bytes, uint64_t length_bytes) {
    if (offset_bytes > INT64_MAX || length_bytes > INT64_MAX - offset_bytes) {
        return -EINVAL;
    }
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    return fd < 0 ? -errno : close_with(fd, punch(fd, offset_bytes, length_bytes));
}

int64_t tidemark_file_system_magic(const char *path) {
    struct statfs status;
    return statfs(path, &status) != 0 ? -errno : (int64_t)(uint32_t)status.f_type;
}

int64_t tidemark_rename(const char *from, const char *to, int32_t exchange) {
    unsigned flags = exchange != 0 ? RENAME_EXCHANGE : RENAME_NOREPLACE;
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, flags) == 0 ? 0 : -errno;
}

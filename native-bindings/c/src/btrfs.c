/* Btrfs subvolumes. The kernel takes a descriptor of the parent folder and a plain name, so paths are split here. */
#define _GNU_SOURCE
#include "tidemark_block.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Inode number of every subvolume's root folder: BTRFS_FIRST_FREE_OBJECTID of the on-disk format. */
#define SUBVOLUME_ROOT_INODE 256

/* BTRFS_NAME_LEN of the kernel: longest name of a folder entry. */
#define NAME_BYTES_MAX 255u

struct split_path {
    char parent[PATH_MAX];
    char name[NAME_BYTES_MAX + 1];
};

static int split(const char *path, struct split_path *into) {
    size_t length = strlen(path);
    while (length > 0 && path[length - 1] == '/') {
        length--;
    }
    size_t start = length;
    while (start > 0 && path[start - 1] != '/') {
        start--;
    }
    size_t name_bytes = length - start;
    if (start >= sizeof into->parent || name_bytes > NAME_BYTES_MAX) {
        return -ENAMETOOLONG;
    }
    memcpy(into->name, path + start, name_bytes);
    into->name[name_bytes] = '\0';
    if (name_bytes == 0 || strcmp(into->name, ".") == 0 || strcmp(into->name, "..") == 0) {
        return -EINVAL;
    }
    memcpy(into->parent, start == 0 ? "." : path, start == 0 ? 1 : start);
    into->parent[start == 0 ? 1 : start] = '\0';
    return 0;
}

/* Splits, and opens the parent folder. Returns the descriptor or a negative errno. */
static int open_parent(const char *path, struct split_path *into) {
    int refused = split(path, into);
    if (refused != 0) {
        return refused;
    }
    int fd = open(into->parent, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    return fd < 0 ? -errno : fd;
}

/* Subvolume create and destroy take the same argument. */
static int64_t request_by_name(const char *path, unsigned long request) {
    struct split_path where;
    int parent = open_parent(path, &where);
    if (parent < 0) {
        return parent;
    }
    struct btrfs_ioctl_vol_args arguments = {0};
    memcpy(arguments.name, where.name, strlen(where.name) + 1);
    int64_t result = ioctl(parent, request, &arguments) < 0 ? -errno : 0;
    close(parent);
    return result;
}

int64_t tidemark_btrfs_create_subvolume(const char *subvolume) {
    return request_by_name(subvolume, BTRFS_IOC_SUBVOL_CREATE);
}

int64_t tidemark_btrfs_delete_subvolume(const char *subvolume) {
    return request_by_name(subvolume, BTRFS_IOC_SNAP_DESTROY);
}

int64_t tidemark_btrfs_snapshot(const char *subvolume, const char *snapshot, int32_t read_only) {
    struct split_path where;
    int parent = open_parent(snapshot, &where);
    if (parent < 0) {
        return parent;
    }
    int source = open(subvolume, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    int64_t result;
    if (source < 0) {
        result = -errno;
    } else {
        struct btrfs_ioctl_vol_args_v2 arguments = {0};
        arguments.fd = source;
        arguments.flags = read_only != 0 ? BTRFS_SUBVOL_RDONLY : 0;
        memcpy(arguments.name, where.name, strlen(where.name) + 1);
        result = ioctl(parent, BTRFS_IOC_SNAP_CREATE_V2, &arguments) < 0 ? -errno : 0;
        close(source);
    }
    close(parent);
    return result;
}

int64_t tidemark_btrfs_is_subvolume(const char *path) {
    struct stat status;
    struct statfs file_system;
    if (stat(path, &status) != 0 || statfs(path, &file_system) != 0) {
        return -errno;
    }
    return (uint32_t)file_system.f_type == BTRFS_SUPER_MAGIC && S_ISDIR(status.st_mode)
           && status.st_ino == SUBVOLUME_ROOT_INODE;
}

/* Btrfs subvolumes. The kernel takes a descriptor of the parent folder and a plain name, so paths are split here. */
#define _GNU_SOURCE
#include "tidemark_block.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
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

/* Of a nested subvolume: the folder's path and the name, as BTRFS_IOC_INO_LOOKUP_USER answers them. */
#define NESTED_PATH_BYTES (BTRFS_INO_LOOKUP_USER_PATH_MAX + BTRFS_VOL_NAME_MAX + 1)

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

/* Returns the descriptor of a subvolume's root, or a negative errno. */
static int open_root(const char *path) {
    int64_t is_root = tidemark_btrfs_is_subvolume(path);
    if (is_root <= 0) {
        return is_root < 0 ? (int)is_root : -EINVAL;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    return fd < 0 ? -errno : fd;
}

int64_t tidemark_btrfs_subvolume_info(const char *path, struct tidemark_btrfs_subvolume *info) {
    int fd = open_root(path);
    if (fd < 0) {
        return fd;
    }
    struct btrfs_ioctl_get_subvol_info_args found = {0};
    int64_t result = ioctl(fd, BTRFS_IOC_GET_SUBVOL_INFO, &found) < 0 ? -errno : 0;
    close(fd);
    if (result == 0) {
        *info = (struct tidemark_btrfs_subvolume){
            .id = found.treeid,
            .created_seconds = (int64_t)found.otime.sec,
            .created_nanos = found.otime.nsec,
            /* These are the flags of the root item on the disk, not those of BTRFS_IOC_SUBVOL_GETFLAGS. */
            .read_only = (found.flags & BTRFS_ROOT_SUBVOL_RDONLY) != 0,
            .made_transaction = found.otransid,
            .changed_transaction = found.ctransid,
            .sent_transaction = found.stransid,
        };
        memcpy(info->uuid, found.uuid, sizeof info->uuid);
        memcpy(info->parent_uuid, found.parent_uuid, sizeof info->parent_uuid);
        memcpy(info->received_uuid, found.received_uuid, sizeof info->received_uuid);
    }
    return result;
}

int64_t tidemark_btrfs_set_received(const char *subvolume, const uint8_t uuid[16]) {
    int fd = open_root(subvolume);
    if (fd < 0) {
        return fd;
    }
    struct btrfs_ioctl_received_subvol_args arguments = {0};
    memcpy(arguments.uuid, uuid, sizeof arguments.uuid);
    uint64_t flags = 0;
    int64_t result = 0;
    if (ioctl(fd, BTRFS_IOC_SET_RECEIVED_SUBVOL, &arguments) < 0 || ioctl(fd, BTRFS_IOC_SUBVOL_GETFLAGS, &flags) < 0) {
        result = -errno;
    } else {
        flags |= BTRFS_SUBVOL_RDONLY;
        result = ioctl(fd, BTRFS_IOC_SUBVOL_SETFLAGS, &flags) < 0 ? -errno : 0;
    }
    close(fd);
    return result;
}

/* The path with its NUL. Returns its length, 0 where the subvolume has gone meanwhile, or a negative errno. */
static int64_t nested_path(int fd, uint64_t folder, uint64_t id, char path[NESTED_PATH_BYTES]) {
    struct btrfs_ioctl_ino_lookup_user_args where = {.dirid = folder, .treeid = id};
    if (ioctl(fd, BTRFS_IOC_INO_LOOKUP_USER, &where) < 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    size_t folder_bytes = strnlen(where.path, sizeof where.path);
    size_t name_bytes = strnlen(where.name, sizeof where.name - 1);
    memcpy(path, where.path, folder_bytes);
    memcpy(path + folder_bytes, where.name, name_bytes);
    path[folder_bytes + name_bytes] = '\0';
    return (int64_t)(folder_bytes + name_bytes + 1);
}

int64_t tidemark_btrfs_nested(const char *subvolume, char *paths, uint32_t room_bytes, uint32_t *paths_count) {
    *paths_count = 0;
    int fd = open_root(subvolume);
    if (fd < 0) {
        return fd;
    }
    struct btrfs_ioctl_get_subvol_rootref_args found = {0};
    /* EOVERFLOW: there are more than fit, and those that fit are there. */
    if (ioctl(fd, BTRFS_IOC_GET_SUBVOL_ROOTREF, &found) < 0 && errno != EOVERFLOW) {
        int64_t failed = -errno;
        close(fd);
        return failed;
    }
    uint64_t used = 0;
    int64_t result = found.num_items;
    for (uint32_t i = 0; i < found.num_items; i++) {
        char path[NESTED_PATH_BYTES];
        int64_t length = nested_path(fd, found.rootref[i].dirid, found.rootref[i].treeid, path);
        if (length < 0) {
            result = length;
            break;
        }
        if ((uint64_t)length > room_bytes - used) {
            break;
        }
        if (length > 0) {
            memcpy(paths + used, path, (size_t)length);
            used += (uint64_t)length;
            (*paths_count)++;
        }
    }
    close(fd);
    return result;
}

int64_t tidemark_btrfs_commit(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return -errno;
    }
    uint64_t transaction = 0;
    int64_t result = 0;
    if (ioctl(fd, BTRFS_IOC_START_SYNC, &transaction) < 0 || ioctl(fd, BTRFS_IOC_WAIT_SYNC, &transaction) < 0) {
        result = -errno;
    }
    close(fd);
    return result;
}

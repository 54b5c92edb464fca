/* Host calls that need no mount and no rights: files, errors, and that no descriptor stays open. */
#define _GNU_SOURCE
#include "check.h"
#include "tidemark_block.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/tidemark-host-test-XXXXXX";

static const char *in_folder(const char *name) {
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const uint8_t *data, size_t bytes) {
    int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    CHECK_EQUAL(write(fd, data, bytes), bytes);
    close(fd);
}

static int open_descriptors(void) {
    DIR *listing = opendir("/proc/self/fd");
    CHECK(listing != NULL);
    int count = 0;
    while (readdir(listing) != NULL) {
        count++;
    }
    closedir(listing);
    return count;
}

static void write_image(void) {
    uint64_t seed = 11;
    size_t length = (2u << 20) + 4096 + 17;
    uint8_t *data = random_buffer(length, &seed);
    write_file("image", data, length);
    free(data);
}

static void what_is_no_file_is_refused(void) {
    CHECK_EQUAL(mkfifo(in_folder("pipe"), 0600), 0);
    CHECK(tidemark_reflink(in_folder("pipe"), "/tmp/tidemark-host-test-never") < 0);
    CHECK_EQUAL(access("/tmp/tidemark-host-test-never", F_OK), -1);
}

static void missing_paths_are_named_by_errno(void) {
    struct tidemark_extent extent;
    const char *absent = in_folder("absent/entry");
    CHECK_EQUAL(tidemark_extents(absent, 0, &extent, 1), -ENOENT);
    CHECK_EQUAL(tidemark_extents(absent, UINT64_MAX, &extent, 1), -EINVAL);
    CHECK_EQUAL(tidemark_data_ranges(absent, 0, &extent, 1), -ENOENT);
    CHECK_EQUAL(tidemark_data_ranges(absent, UINT64_MAX, &extent, 1), -EINVAL);
    CHECK_EQUAL(tidemark_will_read(absent, &extent, 1), -ENOENT);
    CHECK_EQUAL(tidemark_lock_file(absent), -ENOENT);
    CHECK_EQUAL(tidemark_unlock_file(-1), -EBADF);
    CHECK_EQUAL(tidemark_extent_count(absent), -ENOENT);
    CHECK_EQUAL(tidemark_reflink(absent, absent), -ENOENT);
    CHECK_EQUAL(tidemark_sync_file_system(absent), -ENOENT);
    CHECK_EQUAL(tidemark_thaw(absent), -ENOENT);
    CHECK_EQUAL(tidemark_block_device_bytes(absent), -ENOENT);
    CHECK_EQUAL(tidemark_punch_hole(absent, 0, 512), -ENOENT);
    CHECK_EQUAL(tidemark_punch_hole(absent, UINT64_MAX, 1), -EINVAL);
    CHECK_EQUAL(tidemark_punch_hole(absent, 1, INT64_MAX), -EINVAL);
    CHECK_EQUAL(tidemark_file_system_magic(absent), -ENOENT);
    CHECK_EQUAL(tidemark_btrfs_create_subvolume(absent), -ENOENT);
    CHECK_EQUAL(tidemark_btrfs_snapshot(absent, absent, 1), -ENOENT);
    CHECK_EQUAL(tidemark_btrfs_delete_subvolume(absent), -ENOENT);
    CHECK_EQUAL(tidemark_btrfs_is_subvolume(absent), -ENOENT);
    CHECK_EQUAL(tidemark_block_device_bytes("/dev/null"), -ENOTTY);
}

/* Names that split badly never reach the kernel; the longest that fits is refused by it, not by a broken buffer. */
static void names_of_subvolumes_are_bounded(void) {
    char name[PATH_MAX + 600];
    const char *const refused[] = {"", "/", "//", ".", "..", "a/..", "a/.", "a/../"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        CHECK_EQUAL(tidemark_btrfs_create_subvolume(refused[i]), -EINVAL);
        CHECK_EQUAL(tidemark_btrfs_delete_subvolume(refused[i]), -EINVAL);
    }
    memset(name, 'a', sizeof name);
    name[256] = '\0';
    CHECK_EQUAL(tidemark_btrfs_create_subvolume(name), -ENAMETOOLONG);
    name[256] = 'a';
    name[255] = '\0';
    CHECK(tidemark_btrfs_delete_subvolume(name) < 0);
    memset(name, '/', sizeof name);
    name[PATH_MAX + 500] = 'a';
    name[PATH_MAX + 501] = '\0';
    CHECK_EQUAL(tidemark_btrfs_create_subvolume(name), -ENAMETOOLONG);
}

static void extents_fill_no_more_than_the_room_given(void) {
    struct tidemark_extent *extents = (struct tidemark_extent *)(void *)exact_buffer(2 * sizeof *extents);
    int64_t found = tidemark_extents(in_folder("image"), 0, extents, 2);
    CHECK(found >= 1 && found <= 2 && extents[0].logical_bytes == 0);
    free(extents);
}

static void punched_range_reads_as_zeros(void) {
    uint8_t data[3 * 4096];
    uint8_t bitmap[1] = {0};
    memset(data, 1, sizeof data);
    write_file("punched", data, sizeof data);
    int64_t result = tidemark_punch_hole(in_folder("punched"), 4096, 4096);
    CHECK(result == 0 || result == -EOPNOTSUPP);
    if (result == 0) {
        int fd = open(in_folder("punched"), O_RDONLY);
        CHECK_EQUAL(read(fd, data, sizeof data), sizeof data);
        close(fd);
        CHECK_EQUAL(tidemark_zero_blocks(data, sizeof data, 4096, bitmap, 1), 1);
        CHECK_EQUAL(bitmap[0], 2);
    }
}

static void names_are_exchanged_and_never_replaced(void) {
    char one[PATH_MAX];
    snprintf(one, sizeof one, "%s", in_folder("one"));
    write_file("one", (const uint8_t *)"1", 1);
    write_file("other", (const uint8_t *)"22", 2);
    struct stat status;
    CHECK_EQUAL(tidemark_rename(one, in_folder("other"), 0), -EEXIST);
    CHECK_EQUAL(tidemark_rename(one, in_folder("other"), 1), 0);
    CHECK_EQUAL(stat(one, &status), 0);
    CHECK_EQUAL(status.st_size, 2);
    CHECK_EQUAL(tidemark_rename(one, in_folder("third"), 1), -ENOENT);
    CHECK_EQUAL(tidemark_rename(one, in_folder("third"), 0), 0);
    CHECK_EQUAL(unlink(in_folder("other")), 0);
    CHECK_EQUAL(unlink(in_folder("third")), 0);
}

static void what_is_no_subvolume_has_no_facts(void) {
    struct tidemark_btrfs_subvolume info = {0};
    char paths[16];
    uint32_t count = 7;
    CHECK_EQUAL(tidemark_btrfs_subvolume_info(folder, &info), -EINVAL);
    CHECK_EQUAL(tidemark_btrfs_set_received(folder, info.uuid), -EINVAL);
    CHECK_EQUAL(tidemark_btrfs_nested(folder, paths, sizeof paths, &count), -EINVAL);
    CHECK_EQUAL(count, 0);
    CHECK_EQUAL(tidemark_btrfs_subvolume_info(in_folder("absent"), &info), -ENOENT);
    CHECK(tidemark_btrfs_commit(in_folder("absent")) == -ENOENT);
}

int main(void) {
    CHECK(mkdtemp(folder) != NULL);
    int before = open_descriptors();
    write_image();
    what_is_no_file_is_refused();
    missing_paths_are_named_by_errno();
    names_of_subvolumes_are_bounded();
    extents_fill_no_more_than_the_room_given();
    punched_range_reads_as_zeros();
    names_are_exchanged_and_never_replaced();
    what_is_no_subvolume_has_no_facts();
    CHECK_EQUAL(open_descriptors(), before);
    unlink(in_folder("image"));
    unlink(in_folder("pipe"));
    unlink(in_folder("punched"));
    CHECK_EQUAL(rmdir(folder), 0);
    return 0;
}

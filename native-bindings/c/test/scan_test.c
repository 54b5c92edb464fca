/* Scans and comparisons of files: every way of reading gives what the blocks in memory give; refusals; lost pages. */
#define _GNU_SOURCE
#include "check.h"
#include "tidemark_block.h"
#include "work.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LENGTH ((9u << 20) + 4096 + 17)

static char folder[] = "/var/tmp/tidemark-scan-test-XXXXXX";
static char left[PATH_MAX];
static char right[PATH_MAX];
static uint8_t *left_bytes;
static uint8_t *right_bytes;

static void write_file(const char *path, const uint8_t *data, size_t bytes) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
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

/* Two images with runs of zeros, equal but for a byte here and there. */
static void write_images(void) {
    uint64_t seed = 23;
    left_bytes = random_buffer(LENGTH, &seed);
    for (int i = 0; i < 40; i++) {
        size_t at = next_random(&seed) % (LENGTH - 70000);
        memset(left_bytes + at, 0, next_random(&seed) % 70000);
    }
    right_bytes = exact_buffer(LENGTH);
    memcpy(right_bytes, left_bytes, LENGTH);
    for (int i = 0; i < 50; i++) {
        right_bytes[next_random(&seed) % LENGTH] ^= 1;
    }
    right_bytes[LENGTH - 1] ^= 1;
    write_file(left, left_bytes, LENGTH);
    write_file(right, right_bytes, LENGTH);
}

static uint8_t *zeroed(size_t bytes) {
    uint8_t *buffer = exact_buffer(bytes);
    memset(buffer, 0, bytes);
    return buffer;
}

/* Some ranges of the image, whole blocks, from base on; the last may end where the image does. */
static uint64_t some_ranges(struct tidemark_range *ranges, uint64_t maximum, uint32_t block, uint64_t *seed) {
    uint64_t count = 0;
    uint64_t from = ranges[0].offset_bytes;
    while (count < maximum && from < LENGTH) {
        uint64_t length = (1 + next_random(seed) % 700) * block;
        bool last = from + length >= LENGTH;
        ranges[count++] = (struct tidemark_range){from, last ? LENGTH - from : length};
        from += length + next_random(seed) % 3 * block;
    }
    return count;
}

static void scanned_as_memory(const struct tidemark_scan *scan, const uint8_t *stored, size_t digest_bytes) {
    uint32_t block = scan->reading.block_bytes;
    uint64_t differing = 0;
    uint64_t zero = 0;
    for (uint64_t r = 0; r < scan->reading.range_count; r++) {
        struct tidemark_range range = scan->reading.ranges[r];
        for (uint64_t at = range.offset_bytes; at < range.offset_bytes + range.length_bytes; at += block) {
            uint64_t rest = range.offset_bytes + range.length_bytes - at;
            uint64_t length = rest < block ? rest : block;
            uint64_t index = (at - scan->reading.base_bytes) / block;
            uint8_t digest[32];
            uint8_t bit = 0;
            tidemark_hash_blocks(left_bytes + at, length, block, scan->algorithm, digest, sizeof digest);
            CHECK_EQUAL(memcmp(digest, scan->digests + index * digest_bytes, digest_bytes), 0);
            int differs = memcmp(digest, stored + index * digest_bytes, digest_bytes) != 0;
            CHECK_EQUAL(scan->differing_bits[index / 8] >> index % 8 & 1, differs);
            tidemark_zero_blocks(left_bytes + at, length, block, &bit, 1);
            CHECK_EQUAL(scan->zero_bits[index / 8] >> index % 8 & 1, bit);
            differing += (uint64_t)differs;
            zero += bit;
        }
    }
    CHECK_EQUAL(scan->differing_blocks, differing);
    CHECK_EQUAL(scan->zero_blocks, zero);
}

static void scan_some(uint32_t way, uint64_t *seed) {
    uint32_t block = 512u << next_random(seed) % 8;
    int32_t algorithm = 1 + (int32_t)(next_random(seed) % 2);
    size_t digest_bytes = algorithm == 1 ? 16 : 32;
    struct tidemark_range ranges[9] = {{.offset_bytes = next_random(seed) % 50 * block}};
    struct tidemark_scan scan = {.path = left, .algorithm = algorithm};
    scan.reading = (struct tidemark_reading){.ranges = ranges, .base_bytes = ranges[0].offset_bytes,
                                             .block_bytes = block, .threads = 1 + next_random(seed) % 4,
                                             .read_by = way};
    scan.reading.range_count = some_ranges(ranges, 9, block, seed);
    size_t blocks = (size_t)tidemark_reading_blocks(&scan.reading);
    scan.digests_bytes = scan.stored_bytes = blocks * digest_bytes;
    scan.differing_bits_bytes = scan.zero_bits_bytes = (blocks + 7) / 8;
    scan.digests = zeroed(blocks * digest_bytes);
    scan.differing_bits = zeroed(scan.differing_bits_bytes);
    scan.zero_bits = zeroed(scan.zero_bits_bytes);
    uint8_t *stored = zeroed(blocks * digest_bytes);
    tidemark_hash_blocks(right_bytes + scan.reading.base_bytes,
                         blocks * block > LENGTH - scan.reading.base_bytes ? LENGTH - scan.reading.base_bytes
                                                                           : blocks * block,
                         block, algorithm, stored, blocks * digest_bytes);
    scan.stored_digests = stored;
    struct tidemark_control control = {0};
    uint64_t read = 0;
    uint64_t bytes = 0;
    for (uint64_t r = 0; r < scan.reading.range_count; r++) {
        read += tidemark_block_count(ranges[r].length_bytes, block);
        bytes += ranges[r].length_bytes;
    }
    CHECK_EQUAL(tidemark_scan_file(&scan, &control), read);
    CHECK_EQUAL(control.done_bytes, bytes);
    scanned_as_memory(&scan, stored, digest_bytes);
    free(scan.digests);
    free(scan.differing_bits);
    free(scan.zero_bits);
    free(stored);
}

static void compare_all(uint32_t way, uint32_t block) {
    struct tidemark_range all = {0, LENGTH};
    size_t bits_bytes = LENGTH / block / 8 + 1;
    uint8_t *expected = zeroed(bits_bytes);
    struct tidemark_comparison comparison = {
        .left = left, .right = right, .differing_bits = zeroed(bits_bytes), .differing_bits_bytes = bits_bytes};
    comparison.reading = (struct tidemark_reading){
        .ranges = &all, .range_count = 1, .block_bytes = block, .threads = 3, .read_by = way};
    struct tidemark_control control = {0};
    int64_t differing = tidemark_diff_blocks(left_bytes, right_bytes, LENGTH, block, expected, bits_bytes);
    CHECK_EQUAL(tidemark_compare_files(&comparison, &control), differing);
    CHECK_EQUAL(memcmp(expected, comparison.differing_bits, bits_bytes), 0);
    free(expected);
    free(comparison.differing_bits);
}

static void every_way_of_reading_gives_what_memory_gives(uint64_t seeds) {
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        uint64_t random = seed * 977;
        scan_some(TIDEMARK_READ_MAPPED + (uint32_t)seed % 4, &random);
    }
    for (uint32_t way = TIDEMARK_READ_MAPPED; way <= TIDEMARK_READ_DIRECT_PREAD; way++) {
        for (uint32_t block = 512; block <= 16u << 20; block <<= 3) {
            compare_all(way, block);
        }
    }
}

static int64_t digest_range(struct tidemark_range range, uint32_t way, struct tidemark_control *control) {
    size_t room = (size_t)(range.length_bytes / 512 + 1) * 16;
    struct tidemark_scan scan = {.path = left, .digests = exact_buffer(room), .digests_bytes = room, .algorithm = 1};
    scan.reading = (struct tidemark_reading){
        .ranges = &range, .range_count = 1, .base_bytes = range.offset_bytes, .block_bytes = 512, .threads = 2,
        .read_by = way};
    int64_t result = tidemark_scan_file(&scan, control);
    free(scan.digests);
    return result;
}

static void what_the_structs_do_not_allow_is_refused(void) {
    struct tidemark_control control = {0};
    struct tidemark_range all = {0, 1024};
    uint8_t out[64] = {0};
    const struct tidemark_reading good = {.ranges = &all, .range_count = 1, .block_bytes = 512, .threads = 1,
                                          .read_by = TIDEMARK_READ_BUFFERED};
    struct tidemark_scan scan = {.path = left, .reading = good, .digests = out, .digests_bytes = 31, .algorithm = 1};
    CHECK_EQUAL(tidemark_scan_file(&scan, &control), -ERANGE);
    scan.digests_bytes = 32;
    CHECK_EQUAL(tidemark_scan_file(&scan, &control), 2);
    scan.algorithm = 3;
    CHECK_EQUAL(tidemark_scan_file(&scan, &control), -EINVAL);
    scan.algorithm = 1;
    scan.stored_digests = out;
    CHECK_EQUAL(tidemark_scan_file(&scan, &control), -EINVAL);
    scan.stored_digests = NULL;
    for (int i = 0; i < 6; i++) {
        scan.reading = good;
        all = (struct tidemark_range){i == 0, i == 1 ? 0 : 1024};
        scan.reading.threads = i == 2 ? 0 : i == 3 ? TIDEMARK_THREADS_MAX + 1 : 1;
        scan.reading.read_by = i == 4 ? 5 : TIDEMARK_READ_MAPPED;
        scan.reading.block_bytes = i == 5 ? 513 : 512;
        CHECK_EQUAL(tidemark_scan_file(&scan, &control), -EINVAL);
    }
    struct tidemark_range unordered[2] = {{512, 512}, {0, 512}};
    scan.reading = good;
    scan.reading.ranges = unordered;
    scan.reading.range_count = 2;
    CHECK_EQUAL(tidemark_scan_file(&scan, &control), -EINVAL);
    scan.reading.range_count = 0;
    CHECK_EQUAL(tidemark_scan_file(&scan, &control), 0);
}

static void what_is_no_file_is_refused(void) {
    char pipe_path[PATH_MAX + 8];
    snprintf(pipe_path, sizeof pipe_path, "%s.pipe", left);
    CHECK_EQUAL(mkfifo(pipe_path, 0600), 0);
    const char *const paths[] = {pipe_path, "/dev/null", folder, "/absent"};
    const int expected[] = {-EINVAL, -EINVAL, -EINVAL, -ENOENT};
    for (uint32_t way = TIDEMARK_READ_MAPPED; way <= TIDEMARK_READ_DIRECT_PREAD; way++) {
        for (int i = 0; i < 4; i++) {
            struct tidemark_control control = {0};
            struct tidemark_range all = {0, 512};
            struct tidemark_scan scan = {.path = paths[i], .algorithm = 1};
            scan.reading = (struct tidemark_reading){
                .ranges = &all, .range_count = 1, .block_bytes = 512, .threads = 1, .read_by = way};
            int64_t result = tidemark_scan_file(&scan, &control);
            CHECK(result == expected[i] || (i == 2 && way >= TIDEMARK_READ_DIRECT && result == -EISDIR));
        }
    }
    unlink(pipe_path);
}

static void file_that_ends_before_a_range_is_told(void) {
    for (uint32_t way = TIDEMARK_READ_MAPPED; way <= TIDEMARK_READ_DIRECT_PREAD; way++) {
        struct tidemark_control control = {0};
        CHECK_EQUAL(digest_range((struct tidemark_range){0, LENGTH + 1}, way, &control), -ENODATA);
        CHECK_EQUAL(digest_range((struct tidemark_range){0, LENGTH}, way, &control), LENGTH / 512 + 1);
        CHECK_EQUAL(digest_range((struct tidemark_range){64u << 20, 512}, way, &control), -ENODATA);
    }
}

static void cancelled_call_ends_whatever_its_rate(void) {
    for (uint32_t way = TIDEMARK_READ_MAPPED; way <= TIDEMARK_READ_DIRECT_PREAD; way++) {
        struct tidemark_control control = {.rate_bytes_per_second = 512, .cancelled = 1};
        CHECK_EQUAL(digest_range((struct tidemark_range){0, LENGTH}, way, &control), -ECANCELED);
        CHECK_EQUAL(control.done_bytes, 0);
    }
}

static void rate_holds_a_call_back(void) {
    struct tidemark_control control = {.rate_bytes_per_second = 64u << 20};
    struct timespec before;
    struct timespec after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    CHECK(digest_range((struct tidemark_range){0, LENGTH}, TIDEMARK_READ_MAPPED, &control) > 0);
    clock_gettime(CLOCK_MONOTONIC, &after);
    /* The last piece starts not before all others' bytes were allowed: a lower bound no load can break. */
    double seconds = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
    CHECK(seconds > 5.0 / 64);
}

/* A take that loses the pages it is about to read: what a file cut meanwhile does, without a race. */
static void cut_and_read(void *job, struct tidemark_piece piece, const uint8_t *const *bytes) {
    uint64_t *sum = job;
    CHECK_EQUAL(truncate(left, 100), 0);
    for (size_t i = 0; i < piece.length_bytes; i += 512) {
        *sum += bytes[0][i] + bytes[1][i];
    }
}

static void mapped_file_that_shrinks_ends_the_call_not_the_process(void) {
    struct tidemark_range all = {0, LENGTH};
    struct tidemark_reading reading = {
        .ranges = &all, .range_count = 1, .block_bytes = 4096, .threads = 1, .read_by = TIDEMARK_READ_MAPPED};
    struct tidemark_control control = {0};
    uint64_t sum = 0;
    struct tidemark_work work = {.reading = &reading, .control = &control, .take = cut_and_read, .job = &sum};
    const char *const paths[TIDEMARK_FILES_MAX] = {right, left};
    CHECK_EQUAL(tidemark_run_work(&work, paths), -ENODATA);
    write_file(left, left_bytes, LENGTH);
}

/* Cut inside a page: no signal, and zeros where the bytes were. */
static void cut_a_little(void *job, struct tidemark_piece piece, const uint8_t *const *bytes) {
    (void)job;
    (void)piece;
    (void)bytes;
    CHECK_EQUAL(truncate(left, LENGTH - 1), 0);
}

static void file_that_loses_one_byte_after_it_was_read_is_noticed(void) {
    for (uint32_t way = TIDEMARK_READ_MAPPED; way <= TIDEMARK_READ_DIRECT_PREAD; way++) {
        struct tidemark_range end = {9u << 20, LENGTH - (9u << 20)};
        struct tidemark_reading reading = {
            .ranges = &end, .range_count = 1, .block_bytes = 4096, .threads = 1, .read_by = way};
        struct tidemark_control control = {0};
        struct tidemark_work work = {.reading = &reading, .control = &control, .take = cut_a_little};
        const char *const paths[TIDEMARK_FILES_MAX] = {left, NULL};
        CHECK_EQUAL(tidemark_run_work(&work, paths), -ENODATA);
        write_file(left, left_bytes, LENGTH);
    }
}

static sigjmp_buf other_fault;

static void others_handler(int number) {
    (void)number;
    siglongjmp(other_fault, 1);
}

static void signal_of_somebody_else_reaches_the_handler_that_was_there(void) {
    int fd = open(right, O_RDONLY);
    volatile uint8_t *mapped = mmap(NULL, 1 << 20, PROT_READ, MAP_SHARED, fd, 32u << 20);
    CHECK((void *)mapped != MAP_FAILED);
    volatile int reached = sigsetjmp(other_fault, 1);
    if (reached == 0) {
        reached = mapped[0] - 1;
    }
    CHECK_EQUAL(reached, 1);
    munmap((void *)mapped, 1 << 20);
    close(fd);
}

/* In a process of its own: a filter cannot be taken off again. */
static void without_io_uring_threads_read_by_pread(void) {
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        struct sock_filter refuse[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {.len = sizeof refuse / sizeof refuse[0], .filter = refuse};
        CHECK_EQUAL(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        /* An emulated process cannot set a filter; it has no io_uring either, which is what the filter is for. */
        CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 || !tidemark_ring_works());
        struct tidemark_control control = {0};
        CHECK_EQUAL(digest_range((struct tidemark_range){0, LENGTH}, TIDEMARK_READ_DIRECT, &control), LENGTH / 512 + 1);
        /* Where the file system has no O_DIRECT at all, the page cache serves. */
        CHECK(control.read_by == TIDEMARK_READ_DIRECT_PREAD || control.read_by == TIDEMARK_READ_MAPPED);
        uint64_t seed = 5;
        scan_some(TIDEMARK_READ_DIRECT, &seed);
        compare_all(TIDEMARK_READ_DIRECT, 4096);
        _exit(0);
    }
    int status = -1;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
}

/* usage: scan_test [SEEDS]; an emulated processor takes a second for each. */
int main(int argc, char **argv) {
    CHECK(mkdtemp(folder) != NULL);
    snprintf(left, sizeof left, "%s/left", folder);
    snprintf(right, sizeof right, "%s/right", folder);
    CHECK(signal(SIGBUS, others_handler) != SIG_ERR);
    int before = open_descriptors();
    write_images();
    every_way_of_reading_gives_what_memory_gives(argc > 1 ? strtoull(argv[1], NULL, 10) : 60);
    what_the_structs_do_not_allow_is_refused();
    what_is_no_file_is_refused();
    file_that_ends_before_a_range_is_told();
    cancelled_call_ends_whatever_its_rate();
    rate_holds_a_call_back();
    mapped_file_that_shrinks_ends_the_call_not_the_process();
    file_that_loses_one_byte_after_it_was_read_is_noticed();
    signal_of_somebody_else_reaches_the_handler_that_was_there();
    without_io_uring_threads_read_by_pread();
    CHECK_EQUAL(open_descriptors(), before);
    unlink(left);
    unlink(right);
    CHECK_EQUAL(rmdir(folder), 0);
    free(left_bytes);
    free(right_bytes);
    return 0;
}

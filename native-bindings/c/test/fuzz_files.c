/*
 * libFuzzer: one scan and one comparison of two files in memory, of any size, contents and holes, over any ranges, by
 * any number of threads and way of reading, must give what plain loops over the same bytes give; what the header does
 * not allow must be refused as it says; and a file cut meanwhile must give the whole answer or -ENODATA.
 * `build.sh --fuzz` builds it; `build.sh --test` runs it over seeds (seeds_main.c).
 */
#define _GNU_SOURCE
#include "check.h"
#include "fuzz_input.h"
#include "hash.h"
#include "tidemark_block.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#define RANGES_MAX 24
#define DIGEST_BYTES_MAX 32u

/* What outputs are allocated for at most: a question about more blocks finds them too small. */
#define BLOCKS_MAX 40000u

struct question {
    struct image left;
    struct image right;
    struct tidemark_range ranges[RANGES_MAX];
    struct tidemark_reading reading;
    struct tidemark_control control;
    bool cut; /* the left file, to so many bytes, after so long, while it is read */
    size_t cut_to;
    long cut_after_nanos;
};

/* A buffer a call writes to, and what plain loops say it must hold afterwards. NULL is one not asked for. */
struct output {
    uint8_t *given;
    uint8_t *expected;
    size_t bytes;
};

static void make_images(struct input *in, struct question *q) {
    /* Mostly small, so that many are tried; sometimes more than one piece of each way of reading. */
    size_t length = pick_size(in, 4) << (one_in(in, 4) ? 4 : 0);
    length += pick(in, 4);
    open_image(&q->left, length, NULL);
    for (uint32_t patches = pick(in, 8); patches > 0; patches--) {
        patch(in, &q->left);
    }
    size_t other = one_in(in, 8) ? length + pick(in, 65536) : one_in(in, 8) ? length / (1 + pick(in, 4)) : length;
    open_image(&q->right, other, &q->left);
    for (uint32_t patches = pick(in, 5); patches > 0; patches--) {
        patch(in, &q->right);
    }
}

static void choose_ranges(struct input *in, struct question *q) {
    uint64_t block = q->reading.block_bytes;
    uint64_t from = q->reading.base_bytes;
    if (one_in(in, 2) && from < q->left.length) {
        q->ranges[q->reading.range_count++] = (struct tidemark_range){from, q->left.length - from};
        return;
    }
    uint64_t wanted = pick(in, RANGES_MAX + 1);
    uint64_t longest = q->left.length / block / (wanted + 1) + 2;
    while (q->reading.range_count < wanted && from < q->left.length) {
        from += pick(in, 3) * block;
        uint64_t length = (1 + pick(in, longest < 65536 ? (uint32_t)longest : 65536)) * block;
        bool last = from + length > q->left.length;
        if (last && from < q->left.length && !one_in(in, 16)) {
            length = q->left.length - from;
        }
        q->ranges[q->reading.range_count++] = (struct tidemark_range){from, length};
        from += length;
    }
}

/* Something that the header does not allow, mostly. */
static void spoil(struct input *in, struct question *q) {
    struct tidemark_reading *reading = &q->reading;
    struct tidemark_range *range = &q->ranges[pick(in, RANGES_MAX)];
    static const uint32_t blocks[] = {0, 1, 256, 511, 513, 4097, 32u << 20, UINT32_MAX};
    switch (pick(in, 9)) {
    case 0:
        reading->block_bytes = blocks[pick(in, 8)];
        return;
    case 1:
        reading->threads = one_in(in, 2) ? 0 : TIDEMARK_THREADS_MAX + pick(in, 3);
        return;
    case 2:
        reading->read_by = one_in(in, 2) ? 0 : TIDEMARK_READ_DIRECT_PREAD + pick(in, 3);
        return;
    case 3:
        reading->base_bytes += 1 + pick(in, 65536);
        return;
    case 4:
        reading->base_bytes += (uint64_t)reading->block_bytes << pick(in, 40);
        return;
    case 5:
        range->length_bytes = pick(in, 2);
        return;
    case 6:
        range->offset_bytes += 1 + pick(in, 65536);
        return;
    case 7:
        range->length_bytes = UINT64_MAX >> pick(in, 64);
        return;
    default:
        range->offset_bytes = (UINT64_MAX >> pick(in, 64)) & ~(uint64_t)511;
        return;
    }
}

static void choose(struct input *in, struct question *q) {
    make_images(in, q);
    q->reading.ranges = q->ranges;
    q->reading.block_bytes = 512u << pick(in, one_in(in, 4) ? 16 : 6);
    q->reading.base_bytes = (uint64_t)pick(in, 4) * q->reading.block_bytes;
    q->reading.threads = 1 + pick(in, one_in(in, 16) ? TIDEMARK_THREADS_MAX : 6);
    q->reading.read_by = TIDEMARK_READ_MAPPED + pick(in, 4);
    choose_ranges(in, q);
    if (one_in(in, 6)) {
        spoil(in, q);
    }
    /* Never so low that a question takes long. */
    q->control.rate_bytes_per_second = one_in(in, 8) ? UINT64_C(1) << (32 + pick(in, 31)) : 0;
    q->control.cancelled = one_in(in, 32);
    q->cut = one_in(in, 4);
    q->cut_to = (size_t)((uint64_t)pick(in, 65536) * q->left.length / 65536);
    q->cut_after_nanos = (long)pick(in, 2000) * 1000;
}

/* The header's conditions on a reading, one after the other. */
static bool is_allowed(const struct tidemark_reading *reading) {
    uint32_t block = reading->block_bytes;
    if (block < 512 || block > 16u << 20 || __builtin_popcount(block) != 1 || reading->base_bytes % block != 0
        || reading->threads == 0 || reading->threads > 256 || reading->read_by == 0 || reading->read_by > 4) {
        return false;
    }
    unsigned __int128 from = reading->base_bytes;
    for (uint64_t i = 0; i < reading->range_count; i++) {
        struct tidemark_range range = reading->ranges[i];
        bool whole = range.length_bytes % block == 0 || i == reading->range_count - 1;
        if (range.length_bytes == 0 || range.offset_bytes % block != 0 || !whole || range.offset_bytes < from) {
            return false;
        }
        from = (unsigned __int128)range.offset_bytes + range.length_bytes;
        if (from > INT64_MAX) {
            return false;
        }
    }
    return true;
}

static uint64_t end_bytes(const struct tidemark_reading *reading) {
    return reading->range_count == 0 ? reading->base_bytes
                                     : reading->ranges[reading->range_count - 1].offset_bytes
                                           + reading->ranges[reading->range_count - 1].length_bytes;
}

/* Of the outputs: from the base to the end. Zero for a reading that is not allowed. */
static uint64_t output_blocks(const struct tidemark_reading *reading) {
    return is_allowed(reading) ? tidemark_block_count(end_bytes(reading) - reading->base_bytes, reading->block_bytes)
                               : 0;
}

/* What every call answers that does not get as far as computing; 1 where it does. */
static int64_t refusal(const struct question *q, bool room, uint64_t shorter) {
    if (!is_allowed(&q->reading)) {
        return -EINVAL;
    }
    if (!room) {
        return -ERANGE;
    }
    if (q->reading.range_count == 0) {
        return 1;
    }
    return end_bytes(&q->reading) > shorter ? -ENODATA : q->control.cancelled ? -ECANCELED : 1;
}

static void digest(int32_t algorithm, const uint8_t *data, size_t length, uint8_t *into) {
    if (algorithm == TIDEMARK_HASH_SHA_256) {
        tidemark_sha256_portable(data, length, 1, into);
    } else {
        tidemark_xxh3_baseline(data, length, 1, into);
    }
}

static bool is_zero(const uint8_t *data, size_t length) {
    size_t at = 0;
    while (at < length && data[at] == 0) {
        at++;
    }
    return at == length;
}

static void set_bit(uint8_t *bits, uint64_t index) {
    bits[index / 8] = (uint8_t)(bits[index / 8] | 1u << index % 8);
}

/* Of exactly so many bytes, or one too few; with something in it that must stay where nothing is written. */
static struct output make_output(struct input *in, uint64_t needed_bytes, uint64_t most) {
    struct output output = {.bytes = (size_t)(needed_bytes < most ? needed_bytes : most)};
    output.bytes -= output.bytes > 0 && one_in(in, 24);
    output.given = exact_buffer(output.bytes);
    output.expected = exact_buffer(output.bytes);
    fill(output.given, output.bytes, 1 + pick(in, 65535));
    memcpy(output.expected, output.given, output.bytes);
    return output;
}

static void check_output(const struct output *output) {
    if (output->given != NULL) {
        CHECK_EQUAL(memcmp(output->given, output->expected, output->bytes), 0);
    }
}

static void drop_output(struct output *output) {
    free(output->given);
    free(output->expected);
}

static void *cut(void *of) {
    const struct question *q = of;
    struct timespec pause = {.tv_nsec = q->cut_after_nanos};
    nanosleep(&pause, NULL);
    CHECK_EQUAL(ftruncate(q->left.fd, (off_t)q->cut_to), 0);
    return NULL;
}

/* The call's answer, and whether it is the one expected; not where the file was cut in time. */
static bool answers(struct question *q, struct tidemark_scan *scan, const struct tidemark_comparison *comparison,
                    int64_t expected) {
    pthread_t cutter;
    bool cuts = q->cut && scan != NULL && pthread_create(&cutter, NULL, cut, q) == 0;
    int64_t answer =
        scan != NULL ? tidemark_scan_file(scan, &q->control) : tidemark_compare_files(comparison, &q->control);
    if (cuts) {
        pthread_join(cutter, NULL);
        /* Which failure comes first is anybody's guess once the file is short. */
        if (answer < 0 && expected != -EINVAL && expected != -ERANGE && q->cut_to < end_bytes(&q->reading)) {
            CHECK(answer == -ENODATA || answer == expected);
            return false;
        }
    }
    CHECK_EQUAL(answer, expected);
    return expected >= 0;
}

struct scan_question {
    struct tidemark_scan scan;
    struct output digests;
    struct output differing;
    struct output zero;
    uint8_t *stored;
    uint64_t stored_bytes;
    size_t digest_bytes;
    uint64_t differing_blocks;
    uint64_t zero_blocks;
};

/* Digests of the right file, so that many are equal, many differ, and some are of blocks it does not have. */
static void store_digests(struct input *in, const struct question *q, struct scan_question *s, uint64_t blocks) {
    s->stored_bytes = (blocks < BLOCKS_MAX ? blocks : BLOCKS_MAX) * s->digest_bytes;
    s->stored_bytes -= s->stored_bytes > 0 && one_in(in, 24);
    s->stored = exact_buffer(s->stored_bytes);
    memset(s->stored, 0, s->stored_bytes);
    uint32_t block = q->reading.block_bytes;
    for (uint64_t i = 0; (i + 1) * s->digest_bytes <= s->stored_bytes; i++) {
        uint64_t at = q->reading.base_bytes + i * block;
        uint64_t rest = at < q->right.length ? q->right.length - at : 0;
        if (rest > 0) {
            size_t length = rest < block ? (size_t)rest : block;
            digest(s->scan.algorithm, q->right.bytes + at, length, s->stored + i * s->digest_bytes);
        }
    }
}

static void choose_scan(struct input *in, const struct question *q, struct scan_question *s) {
    uint64_t blocks = output_blocks(&q->reading);
    s->scan = (struct tidemark_scan){.path = q->left.path, .reading = q->reading};
    s->scan.algorithm = one_in(in, 48) ? (int32_t)pick(in, 65536) - 32768 : 1 + (int32_t)pick(in, 2);
    s->digest_bytes = s->scan.algorithm == TIDEMARK_HASH_SHA_256 ? 32 : 16;
    if (!one_in(in, 4)) {
        s->digests = make_output(in, blocks * s->digest_bytes, BLOCKS_MAX * s->digest_bytes);
        s->scan.digests = s->digests.given;
        s->scan.digests_bytes = s->digests.bytes;
    }
    uint32_t compared = pick(in, 48);
    if (compared < 24 || compared == 46) {
        store_digests(in, q, s, blocks);
        s->scan.stored_digests = s->stored;
        s->scan.stored_bytes = s->stored_bytes;
    }
    if (compared < 24 || compared == 47) {
        s->differing = make_output(in, (blocks + 7) / 8, BLOCKS_MAX / 8);
        s->scan.differing_bits = s->differing.given;
        s->scan.differing_bits_bytes = s->differing.bytes;
    }
    if (one_in(in, 2)) {
        s->zero = make_output(in, (blocks + 7) / 8, BLOCKS_MAX / 8);
        s->scan.zero_bits = s->zero.given;
        s->scan.zero_bits_bytes = s->zero.bytes;
    }
}

static void expect_block(const struct question *q, struct scan_question *s, uint64_t at, size_t length) {
    uint64_t index = (at - q->reading.base_bytes) / q->reading.block_bytes;
    uint8_t own[DIGEST_BYTES_MAX];
    digest(s->scan.algorithm, q->left.bytes + at, length, own);
    if (s->digests.expected != NULL) {
        memcpy(s->digests.expected + index * s->digest_bytes, own, s->digest_bytes);
    }
    if (s->stored != NULL && memcmp(own, s->stored + index * s->digest_bytes, s->digest_bytes) != 0) {
        set_bit(s->differing.expected, index);
        s->differing_blocks++;
    }
    if (s->zero.expected != NULL && is_zero(q->left.bytes + at, length)) {
        set_bit(s->zero.expected, index);
        s->zero_blocks++;
    }
}

/* Each block of the ranges: its offset, and its length, which is short for the last one. */
#define FOR_EACH_BLOCK(reading, at, length)                                                                          \
    for (uint64_t r_ = 0; r_ < (reading).range_count; r_++)                                                          \
        for (uint64_t at = (reading).ranges[r_].offset_bytes,                                                        \
                      end_ = at + (reading).ranges[r_].length_bytes, length = 0;                                     \
             at < end_ && (length = end_ - at < (reading).block_bytes ? end_ - at : (reading).block_bytes) > 0;      \
             at += length)

static int64_t expect_scan(const struct question *q, struct scan_question *s) {
    if ((s->scan.algorithm != 1 && s->scan.algorithm != 2) || (s->stored == NULL) != (s->differing.given == NULL)) {
        return -EINVAL;
    }
    uint64_t blocks = output_blocks(&q->reading);
    bool room = (s->digests.given == NULL || s->digests.bytes / s->digest_bytes >= blocks)
                && (s->stored == NULL || s->stored_bytes / s->digest_bytes >= blocks)
                && (s->differing.given == NULL || s->differing.bytes * 8 >= blocks)
                && (s->zero.given == NULL || s->zero.bytes * 8 >= blocks);
    int64_t refused = refusal(q, room, q->left.length);
    if (refused != 1) {
        return refused;
    }
    int64_t count = 0;
    FOR_EACH_BLOCK(q->reading, at, length) {
        expect_block(q, s, at, (size_t)length);
        count++;
    }
    return count;
}

static uint64_t read_bytes(const struct tidemark_reading *reading) {
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < reading->range_count; i++) {
        bytes += reading->ranges[i].length_bytes;
    }
    return bytes;
}

static void check_control(const struct question *q, uint64_t done_before) {
    uint32_t by = q->control.read_by;
    CHECK_EQUAL(q->control.done_bytes - done_before, read_bytes(&q->reading));
    CHECK(by == q->reading.read_by || q->reading.read_by >= TIDEMARK_READ_DIRECT);
    CHECK(by >= TIDEMARK_READ_MAPPED && by <= TIDEMARK_READ_DIRECT_PREAD);
}

static void check_scan(struct input *in, struct question *q) {
    struct scan_question s = {.digest_bytes = 0};
    choose_scan(in, q, &s);
    int64_t expected = expect_scan(q, &s);
    uint64_t before = q->control.done_bytes;
    if (answers(q, &s.scan, NULL, expected)) {
        check_control(q, before);
        check_output(&s.digests);
        check_output(&s.differing);
        check_output(&s.zero);
        CHECK_EQUAL(s.scan.differing_blocks, s.differing_blocks);
        CHECK_EQUAL(s.scan.zero_blocks, s.zero_blocks);
    }
    drop_output(&s.digests);
    drop_output(&s.differing);
    drop_output(&s.zero);
    free(s.stored);
}

static void check_comparison(struct input *in, struct question *q) {
    uint64_t blocks = output_blocks(&q->reading);
    struct output differing = make_output(in, (blocks + 7) / 8, BLOCKS_MAX / 8);
    struct tidemark_comparison comparison = {.left = q->left.path,
                                             .right = q->right.path,
                                             .reading = q->reading,
                                             .differing_bits = differing.given,
                                             .differing_bits_bytes = differing.bytes};
    uint64_t shorter = q->left.length < q->right.length ? q->left.length : q->right.length;
    int64_t expected = refusal(q, differing.bytes * 8 >= blocks, shorter);
    if (expected == 1) {
        expected = 0;
        FOR_EACH_BLOCK(q->reading, at, length) {
            if (memcmp(q->left.bytes + at, q->right.bytes + at, (size_t)length) != 0) {
                set_bit(differing.expected, (at - q->reading.base_bytes) / q->reading.block_bytes);
                expected++;
            }
        }
    }
    uint64_t before = q->control.done_bytes;
    if (answers(q, NULL, &comparison, expected)) {
        check_control(q, before);
        check_output(&differing);
    }
    drop_output(&differing);
}

/* The number that the next descriptor gets: the same as before unless one was left open. */
static int next_descriptor(void) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(fd);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input in = {data, size};
    struct question q = {.cut = false};
    choose(&in, &q);
    int before = next_descriptor();
    /* The comparison first: the scan may cut the file. */
    check_comparison(&in, &q);
    check_scan(&in, &q);
    CHECK_EQUAL(next_descriptor(), before);
    close_image(&q.left);
    close_image(&q.right);
    return 0;
}

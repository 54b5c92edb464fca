/* One pass over a file: digests, compared with stored ones, and blocks of zeros. */
#include "hash.h"
#include "tidemark_block.h"
#include "work.h"

#include <errno.h>
#include <string.h>

#define DIGEST_BYTES_MAX 32u

struct scan_job {
    struct tidemark_scan *scan;
    struct tidemark_algorithm with;
    _Atomic uint64_t blocks;
    _Atomic uint64_t differing;
    _Atomic uint64_t zero;
};

/* While the block is in the cache of the thread that has just hashed it. */
static void look_at_block(struct scan_job *job, const uint8_t *data, size_t length_bytes, uint64_t index) {
    const struct tidemark_scan *scan = job->scan;
    size_t digest_bytes = job->with.digest_bytes;
    uint8_t own[DIGEST_BYTES_MAX];
    uint8_t *digest = scan->digests == NULL ? own : scan->digests + index * digest_bytes;
    if (scan->digests != NULL || scan->stored_digests != NULL) {
        job->with.digest(data, length_bytes, 1, digest);
    }
    if (scan->stored_digests != NULL
        && memcmp(digest, scan->stored_digests + index * digest_bytes, digest_bytes) != 0) {
        tidemark_set_bit_shared(scan->differing_bits, index);
        job->differing++;
    }
    if (scan->zero_bits != NULL && tidemark_all_zero(data, length_bytes)) {
        tidemark_set_bit_shared(scan->zero_bits, index);
        job->zero++;
    }
}

static void take_scanned(void *of, struct tidemark_piece piece, const uint8_t *const *bytes) {
    struct scan_job *job = of;
    const struct tidemark_scan *scan = job->scan;
    uint32_t block = scan->reading.block_bytes;
    uint64_t index = (piece.offset_bytes - scan->reading.base_bytes) / block;
    job->blocks += tidemark_block_count(piece.length_bytes, block);
    if (scan->stored_digests == NULL && scan->zero_bits == NULL) {
        if (scan->digests != NULL) {
            uint8_t *digests = scan->digests + index * job->with.digest_bytes;
            tidemark_digest_all(&job->with, bytes[0], piece.length_bytes, block, digests);
        }
        return;
    }
    for (size_t at = 0; at < piece.length_bytes; at += block, index++) {
        size_t rest = piece.length_bytes - at;
        look_at_block(job, bytes[0] + at, rest < block ? rest : block, index);
    }
}

static bool holds_bits(const uint8_t *bits, uint64_t bytes, uint64_t blocks) {
    return bits == NULL || bytes >= blocks / 8 + (blocks % 8 != 0);
}

static int check_scan(const struct tidemark_scan *scan, struct scan_job *job) {
    if (tidemark_check_reading(&scan->reading) != 0 || tidemark_find_algorithm(scan->algorithm, &job->with) != 0
        || (scan->stored_digests == NULL) != (scan->differing_bits == NULL)) {
        return -EINVAL;
    }
    uint64_t blocks = tidemark_reading_blocks(&scan->reading);
    size_t digest_bytes = job->with.digest_bytes;
    bool fits = (scan->digests == NULL || scan->digests_bytes / digest_bytes >= blocks)
                && (scan->stored_digests == NULL || scan->stored_bytes / digest_bytes >= blocks)
                && holds_bits(scan->differing_bits, scan->differing_bits_bytes, blocks)
                && holds_bits(scan->zero_bits, scan->zero_bits_bytes, blocks);
    return fits ? 0 : -ERANGE;
}

int64_t tidemark_scan_file(struct tidemark_scan *scan, struct tidemark_control *control) {
    struct scan_job job = {.scan = scan};
    int result = check_scan(scan, &job);
    if (result != 0) {
        return result;
    }
    struct tidemark_work work = {
        .reading = &scan->reading, .control = control, .take = take_scanned, .job = &job};
    const char *const paths[TIDEMARK_FILES_MAX] = {scan->path, NULL};
    result = tidemark_run_work(&work, paths);
    if (result != 0) {
        return result;
    }
    scan->differing_blocks = job.differing;
    scan->zero_blocks = job.zero;
    return (int64_t)job.blocks;
}

/* NativeStructs.java has the same offsets. */
_Static_assert(sizeof(struct tidemark_reading) == 40, "reading");
_Static_assert(offsetof(struct tidemark_scan, reading) == 8, "scan.reading");
_Static_assert(offsetof(struct tidemark_scan, digests) == 48, "scan.digests");
_Static_assert(offsetof(struct tidemark_scan, stored_digests) == 64, "scan.stored_digests");
_Static_assert(offsetof(struct tidemark_scan, differing_bits) == 80, "scan.differing_bits");
_Static_assert(offsetof(struct tidemark_scan, zero_bits) == 96, "scan.zero_bits");
_Static_assert(offsetof(struct tidemark_scan, algorithm) == 112, "scan.algorithm");
_Static_assert(offsetof(struct tidemark_scan, differing_blocks) == 120, "scan.differing_blocks");
_Static_assert(offsetof(struct tidemark_comparison, differing_bits) == 56, "comparison.differing_bits");
_Static_assert(offsetof(struct tidemark_control, cancelled) == 32, "control.cancelled");

/* Two files, byte by byte, in one pass over both. */
#include "hash.h"
#include "tidemark_block.h"
#include "work.h"

#include <errno.h>

struct comparison_job {
    const struct tidemark_comparison *comparison;
    _Atomic uint64_t differing;
};

static void take_compared(void *of, struct tidemark_piece piece, const uint8_t *const *bytes) {
    struct comparison_job *job = of;
    const struct tidemark_reading *reading = &job->comparison->reading;
    uint64_t index = (piece.offset_bytes - reading->base_bytes) / reading->block_bytes;
    /* Images that are compared are mostly equal: one look at the whole piece, and at its blocks where that fails. */
    if (tidemark_same_bytes(bytes[0], bytes[1], piece.length_bytes)) {
        return;
    }
    for (size_t at = 0; at < piece.length_bytes; at += reading->block_bytes, index++) {
        size_t rest = piece.length_bytes - at;
        size_t length = rest < reading->block_bytes ? rest : reading->block_bytes;
        if (!tidemark_same_bytes(bytes[0] + at, bytes[1] + at, length)) {
            tidemark_set_bit_shared(job->comparison->differing_bits, index);
            job->differing++;
        }
    }
}

int64_t tidemark_compare_files(const struct tidemark_comparison *comparison, struct tidemark_control *control) {
    int result = tidemark_check_reading(&comparison->reading);
    if (result != 0) {
        return result;
    }
    uint64_t blocks = tidemark_reading_blocks(&comparison->reading);
    if (comparison->differing_bits_bytes < blocks / 8 + (blocks % 8 != 0)) {
        return -ERANGE;
    }
    struct comparison_job job = {.comparison = comparison};
    struct tidemark_work work = {
        .reading = &comparison->reading, .control = control, .take = take_compared, .job = &job};
    const char *const paths[TIDEMARK_FILES_MAX] = {comparison->left, comparison->right};
    result = tidemark_run_work(&work, paths);
    return result != 0 ? result : (int64_t)job.differing;
}
